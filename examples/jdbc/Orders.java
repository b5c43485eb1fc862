import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;

/** JDBC: generated keys, of one row and of a batch; blocks for a pooled-lo optimizer. Runs with -ea. */
public class Orders {
    private final Connection db;

    private Orders(Connection db) {
        this.db = db;
    }

    public static void main(String[] arguments) throws SQLException {
        boolean checked = false;
        assert checked = true;
        if (!checked) {
            throw new IllegalStateException("run this with -ea");
        }
        // Long INSERTs for a batch, if it asks for no generated keys.
        try (Connection db = DriverManager.getConnection(arguments[0] + "&reWriteBatchedInserts=true")) {
            Orders orders = new Orders(db);
            orders.create();
            long ann = orders.one();
            orders.batch(ann);
            orders.reserved(ann);
            orders.pages();
            orders.window();
        }
    }

    private void create() throws SQLException {
        try (var statement = db.createStatement()) {
            statement.execute("CREATE EXTENSION pg_snowflake");
            statement.execute("""
                    CREATE TABLE customers (
                        id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
                        name text NOT NULL
                    )""");
            statement.execute("""
                    CREATE TABLE orders (
                        id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
                        customer_id bigint NOT NULL REFERENCES customers,
                        note text NOT NULL
                    )""");
        }
    }

    private long one() throws SQLException {
        String insert = "INSERT INTO customers (name) VALUES (?)";
        try (PreparedStatement statement = db.prepareStatement(insert, new String[] {"id"})) {
            statement.setString(1, "Ann");
            statement.executeUpdate();
            long ann = keys(statement).get(0);
            statement.setString(1, "Bob");
            statement.executeUpdate();
            long bob = keys(statement).get(0);
            assert 1L << 53 < ann && ann < bob;
            return ann;
        }
    }

    private void batch(long customer) throws SQLException {
        String insert = "INSERT INTO orders (customer_id, note) VALUES (?, ?)";
        try (PreparedStatement statement = db.prepareStatement(insert, new String[] {"id"})) {
            for (int n = 0; n < 1000; n++) {
                statement.setLong(1, customer);
                statement.setString(2, "order " + n);
                statement.addBatch();
            }
            long before = number("SELECT example.statements()");
            statement.executeBatch();
            long taken = number("SELECT example.statements()") - before;
            System.out.printf("statements for 1,000 rows by executeBatch with generated keys: %d%n", taken);
            assert taken == 1000;
            List<Long> keys = keys(statement);
            assert keys.size() == 1000;
            assertInOrder(keys);
            // The keys are in the order of the rows.
            try (PreparedStatement eighth = db.prepareStatement("SELECT note FROM orders WHERE id = ?")) {
                eighth.setLong(1, keys.get(7));
                try (ResultSet row = eighth.executeQuery()) {
                    assert row.next() && row.getString(1).equals("order 7");
                }
            }
        }
    }

    /** The lowest key of a block, and those after it: what Hibernate calls pooled-lo. */
    private void reserved(long customer) throws SQLException {
        long before = number("SELECT example.statements()");
        long first;
        try (PreparedStatement reserve = db.prepareStatement("SELECT snowflake_reserve(?)")) {
            reserve.setLong(1, 1000);
            try (ResultSet row = reserve.executeQuery()) {
                row.next();
                first = row.getLong(1);
            }
        }
        String insert = "INSERT INTO orders (id, customer_id, note) VALUES (?, ?, 'reserved')";
        try (PreparedStatement statement = db.prepareStatement(insert)) {
            for (long id = first; id < first + 1000; id++) {
                statement.setLong(1, id);
                statement.setLong(2, customer);
                statement.addBatch();
            }
            statement.executeBatch();
        }
        long taken = number("SELECT example.statements()") - before;
        System.out.printf("statements for 1,000 rows by executeBatch with a reserved block, rewritten: %d%n", taken);
        assert taken == 11;
        long joined = number("SELECT count(*) FROM orders AS o JOIN customers AS c ON c.id = o.customer_id"
                + " WHERE c.name = 'Ann'");
        assert joined == 2000;
    }

    private void pages() throws SQLException {
        List<Long> read = new ArrayList<>();
        String page = "SELECT id FROM orders WHERE id > ? ORDER BY id LIMIT 300";
        try (PreparedStatement statement = db.prepareStatement(page)) {
            int before;
            do {
                before = read.size();
                statement.setLong(1, before == 0 ? 0 : read.get(before - 1));
                try (ResultSet row = statement.executeQuery()) {
                    while (row.next()) {
                        read.add(row.getLong("id"));
                    }
                }
            } while (read.size() > before);
        }
        assert read.size() == 2000;
        assertInOrder(read);
    }

    private void window() throws SQLException {
        OffsetDateTime now = OffsetDateTime.now(ZoneOffset.UTC);
        assert between(now.minusHours(1), now.plusHours(1)) == 2000;
        assert between(now.minusHours(2), now.minusHours(1)) == 0;
    }

    private long between(OffsetDateTime from, OffsetDateTime to) throws SQLException {
        String count = "SELECT count(*) FROM orders WHERE snowflake_between(id, ?, ?)";
        try (PreparedStatement statement = db.prepareStatement(count)) {
            statement.setObject(1, from);
            statement.setObject(2, to);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    private long number(String query) throws SQLException {
        try (var statement = db.createStatement(); ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static List<Long> keys(PreparedStatement statement) throws SQLException {
        List<Long> keys = new ArrayList<>();
        try (ResultSet row = statement.getGeneratedKeys()) {
            while (row.next()) {
                keys.add(row.getLong("id"));
            }
        }
        return keys;
    }

    private static void assertInOrder(List<Long> keys) {
        for (int n = 1; n < keys.size(); n++) {
            assert keys.get(n - 1) < keys.get(n);
        }
    }
}
