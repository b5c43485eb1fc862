/* Row triggers that do nothing, for comparison: with the row, or without it, so that nothing is stored. */
#include "postgres.h"
#include "commands/trigger.h"
#include "fmgr.h"

PG_MODULE_MAGIC;
PG_FUNCTION_INFO_V1(empty_trigger);
PG_FUNCTION_INFO_V1(skip_row);

Datum
empty_trigger(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(((TriggerData *) fcinfo->context)->tg_trigtuple);
}

Datum
skip_row(PG_FUNCTION_ARGS)
{
	return PointerGetDatum(NULL);
}
