from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

DEFAULT = """
    SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
    WHERE adrelid = %s::regclass AND attname = %s"""


class Command(BaseCommand):
    help = "Finds keys whose default is not pg_snowflake's, as those of a wrong default_auto_field."

    def handle(self, **options):
        wrong = []
        for model in apps.get_app_config("shop").get_models():
            with connection.cursor() as cursor:
                cursor.execute(DEFAULT, [model._meta.db_table, model._meta.pk.column])
                if cursor.fetchone() != ("snowflake_nextval()",):
                    wrong.append(model._meta.db_table)
        if wrong:
            raise CommandError(f"not with snowflake IDs: {', '.join(wrong)}")
