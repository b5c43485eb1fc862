# ActiveRecord: a bigint key with a default of ours, in a migration, in bulk and in fixtures.
require "active_record"
require "active_record/fixtures"
require "minitest/autorun"

# PGHOST and so on say where.
ActiveRecord::Base.establish_connection(adapter: "postgresql", database: ENV.fetch("PGDATABASE"))
ActiveRecord::Migration.verbose = false

class CreateOrders < ActiveRecord::Migration[6.1]
  # snowflake_id() is snowflake_nextval() by a name that Rails does not take for a sequence's.
  KEY = { id: :bigint, default: -> { "snowflake_id()" } }.freeze

  def change
    enable_extension "pg_snowflake"
    create_table(:customers, **KEY) { |t| t.text :name, null: false }
    create_table(:orders, **KEY) do |t|
      t.references :customer, null: false, foreign_key: true
      t.text :note, null: false
    end
    create_table(:notes, id: :bigint, default: -> { "snowflake_nextval()" }) { |t| t.text :text }
  end
end

class Customer < ActiveRecord::Base
  has_many :orders
end

class Order < ActiveRecord::Base
  belongs_to :customer
  scope :between, ->(from, to) { where("snowflake_between(orders.id, ?, ?)", from, to) }
end

CreateOrders.migrate(:up)

class OrdersTest < Minitest::Test
  def setup
    @ann = Customer.create!(name: "Ann")
  end

  def teardown
    Order.delete_all
    Customer.delete_all
  end

  def test_a_key_is_read_back
    assert_operator @ann.id, :>, 2**53
    assert_operator Customer.create!(name: "Bob").id, :>, @ann.id
    assert_equal @ann, @ann.orders.create!(note: "first").customer
  end

  def test_many_rows_are_one_statement
    before = statements
    ids = bulk(1000)
    taken = statements - before
    puts "statements for 1,000 rows by insert_all: #{taken}"
    assert_equal 1, taken
    assert_equal ids.uniq.sort, ids
    assert_equal 1000, Customer.joins(:orders).where(name: "Ann").count
  end

  def test_pages
    ids = bulk(1000)
    read = []
    Order.find_each(batch_size: 300) { |order| read << order.id }
    assert_equal ids, read
  end

  def test_a_window_of_time
    bulk(10)
    assert_equal 10, Order.between(1.hour.ago, 1.hour.from_now).count
    assert_equal 0, Order.between(2.hours.ago, 1.hour.ago).count
  end

  def test_fixtures_take_a_default_with_nextval_for_a_sequence
    load_fixtures(:customers)
    assert_equal ["Fixed"], Customer.where(name: "Fixed").pluck(:name)
    error = assert_raises(ActiveRecord::StatementInvalid) { load_fixtures(:notes) }
    assert_match(/relation "public" does not exist/, error.message)
  end

  def test_the_schema_is_dumped_and_loaded
    dump = StringIO.new
    ActiveRecord::SchemaDumper.dump(ActiveRecord::Base.connection, dump)
    assert_match(/enable_extension "pg_snowflake"/, dump.string)
    assert_match(/create_table "orders", id: :bigint, default: -> { "snowflake_id\(\)" }/, dump.string)
    eval(dump.string)
    assert_operator Customer.create!(name: "Bob").id, :>, @ann.id
  end

  private

  def bulk(count)
    rows = Array.new(count) { |n| { customer_id: @ann.id, note: "order #{n}" } }
    Order.insert_all!(rows, returning: :id).rows.flatten
  end

  def load_fixtures(table)
    ActiveRecord::FixtureSet.reset_cache
    ActiveRecord::FixtureSet.create_fixtures("fixtures", [table.to_s])
  end

  def statements
    ActiveRecord::Base.connection.select_value("SELECT example.statements()")
  end
end
