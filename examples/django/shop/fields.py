from django.db.models import BigAutoField, BooleanField, Func


class SnowflakeField(BigAutoField):
    """A BigAutoField whose values are snowflake IDs instead of a sequence's."""

    def db_type_suffix(self, connection):
        return "DEFAULT snowflake_nextval()"


class Between(Func):
    """Whether an ID is of a time; filter(Between("id", start, end)) uses the key's index."""

    function = "snowflake_between"
    output_field = BooleanField()
