"""Snowflake keys for new invoices. AlterField alone would change the type, and leave the default as it is."""

from django.db import migrations

import shop.fields


def adopt(model):
    key = shop.fields.SnowflakeField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
    return migrations.RunSQL(
        f"SELECT snowflake_adopt('shop_{model}')",
        state_operations=[migrations.AlterField(model, "id", key)],
    )


class Migration(migrations.Migration):
    dependencies = [("shop", "0002_invoices")]
    operations = [adopt("invoice"), adopt("line")]
