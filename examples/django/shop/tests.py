from datetime import timedelta

from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.db.models import BigAutoField
from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from shop.fields import Between, SnowflakeField
from shop.models import Customer, Invoice, Line, Order


class Orders(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.ann = Customer.objects.create(name="Ann")

    def bulk(self, count=1000):
        return Order.objects.bulk_create([Order(customer=self.ann, note=f"order {n}") for n in range(count)])

    def test_a_key_is_read_back(self):
        bob = Customer.objects.create(name="Bob")
        self.assertTrue(2**53 < self.ann.pk < bob.pk)

    def test_bulk_create_fills_the_keys_in_order(self):
        before = statements()
        orders = self.bulk()
        taken = statements() - before
        print(f"statements for 1,000 rows by bulk_create: {taken}")
        self.assertEqual(taken, 1)
        keys = [order.pk for order in orders]
        self.assertEqual(keys, sorted(set(keys)))
        self.assertEqual(self.ann.orders.count(), 1000)

    def test_an_unsaved_parent_is_refused_as_with_any_key(self):
        bob = Customer(name="Bob")
        with self.assertRaisesMessage(ValueError, "unsaved related object"):
            Order.objects.create(customer=bob, note="too early")

    def test_pages(self):
        keys = [order.pk for order in self.bulk()]
        read, last = [], 0
        while page := list(
                Order.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:300]):
            read += page
            last = page[-1]
        self.assertEqual(read, keys)

    def test_a_window_of_time_uses_the_index(self):
        self.bulk(10)
        now, hour = timezone.now(), timedelta(hours=1)
        self.assertEqual(Order.objects.filter(Between("id", now - hour, now + hour)).count(), 10)
        earlier = Order.objects.filter(Between("id", now - 2 * hour, now - hour))
        self.assertEqual(earlier.count(), 0)
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        self.assertRegex(earlier.explain(), r"Index Cond: .*id >= ")


class OldInvoices(TestCase):
    def test_they_keep_their_keys_and_new_ones_get_snowflakes(self):
        old = list(Invoice.objects.order_by("pk"))
        self.assertEqual([invoice.pk for invoice in old], [1, 2, 3])
        new = Invoice.objects.create(note="new")
        self.assertGreater(new.pk, 2**53)
        # The reference has been widened, too.
        line = Line.objects.create(invoice=new, note="line")
        self.assertEqual(Line.objects.get(invoice__note="new"), line)

    def test_alter_field_alone_would_leave_the_default(self):
        old, new = BigAutoField(primary_key=True), SnowflakeField(primary_key=True)
        for field in old, new:
            field.set_attributes_from_name("id")
            field.model = Invoice
        with connection.schema_editor(collect_sql=True) as editor:
            editor.alter_field(Invoice, old, new)
        self.assertNotIn("snowflake", "".join(editor.collected_sql))


class Fixtures(TransactionTestCase):
    reset_sequences = True

    def test_what_is_dumped_can_be_loaded(self):
        Customer.objects.create(name="Ann")
        text = serializers.serialize("json", Customer.objects.all())
        call_command("flush", interactive=False, verbosity=0)
        for row in serializers.deserialize("json", text):
            row.save()
        ann = Customer.objects.get()
        self.assertGreater(Customer.objects.create(name="Bob").pk, ann.pk)


def statements():
    with connection.cursor() as cursor:
        cursor.execute("SELECT example.statements()")
        return cursor.fetchone()[0]
