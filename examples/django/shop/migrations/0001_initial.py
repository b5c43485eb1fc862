import django.db.models.deletion
from django.contrib.postgres.operations import CreateExtension
from django.db import migrations, models

import shop.fields


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        CreateExtension("pg_snowflake"),
        migrations.CreateModel("Customer", fields=[
            ("id", shop.fields.SnowflakeField(
                auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("name", models.TextField()),
        ]),
        migrations.CreateModel("Order", fields=[
            ("id", shop.fields.SnowflakeField(
                auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ("note", models.TextField()),
            ("customer", models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="orders", to="shop.customer")),
        ]),
    ]
