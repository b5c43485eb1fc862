//! Older versions of the extension: updated, they equal a fresh one; not yet updated, they work with this library or
//! say what to do. `sql/` has the install script of each release.

use anyhow::{Context, Result, ensure};
use postgres::Client;
use snowflake_testkit::{Installation, Node, refusal};
use std::{fs, path::PathBuf};

const CURRENT: &str = env!("CARGO_PKG_VERSION");

/// What the catalogs say of the extension, object by object.
const CATALOG: &str = "
    SELECT pg_describe_object(classid, objid, 0) AS object, (
        SELECT to_jsonb(p) - '{oid,proowner,pronamespace,prosupport,prosqlbody,proargdefaults}'::text[]
            || jsonb_build_object('body', pg_get_function_sqlbody(p.oid), 'arguments', pg_get_function_arguments(p.oid),
                'support', p.prosupport::regproc)
        FROM pg_proc AS p WHERE p.oid = objid)::text AS definition,
        obj_description(objid, 'pg_proc') AS comment
    FROM pg_depend JOIN pg_extension AS e ON e.oid = refobjid
    WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND extname = 'pg_snowflake'
    ORDER BY 1";

fn scripts() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../sql"))
}

/// The versions before this one.
fn versions() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for file in fs::read_dir(scripts())? {
        let name = file?.file_name().to_string_lossy().into_owned();
        let version =
            name.strip_prefix("pg_snowflake--").and_then(|name| name.strip_suffix(".sql"));
        found.extend(version.filter(|version| !version.contains("--")).map(str::to_owned));
    }
    found.retain(|version| version != CURRENT);
    Ok(found)
}

/// Puts the install script of an older version where PostgreSQL finds it.
fn offer(version: &str) -> Result<()> {
    let name = format!("pg_snowflake--{version}.sql");
    let to = Installation::find()?.extension_directory()?;
    fs::copy(scripts().join(&name), to.join(&name)).context("offering an old version")?;
    Ok(())
}

fn catalog(client: &mut Client) -> Result<Vec<[Option<String>; 3]>> {
    let rows = client.query(CATALOG, &[])?;
    Ok(rows.iter().map(|row| [0, 1, 2].map(|column| row.get(column))).collect())
}

fn database(node: &Node, name: &str, version: &str) -> Result<Client> {
    node.connect("postgres")?.batch_execute(&format!("CREATE DATABASE {name}"))?;
    let mut client = node.connect(name)?;
    client.batch_execute(&format!("CREATE EXTENSION pg_snowflake VERSION '{version}'"))?;
    Ok(client)
}

#[test]
fn every_release_updated_equals_a_fresh_install() -> Result<()> {
    let node = Node::builder("updates").start()?;
    let fresh = catalog(&mut database(&node, "fresh", CURRENT)?)?;
    ensure!(fresh.len() > 20, "the catalogs say little: {fresh:?}");
    let versions = versions()?;
    assert!(versions.iter().any(|version| version == "0.1.0"), "{versions:?}");
    for (number, version) in versions.iter().enumerate() {
        offer(version)?;
        let mut client = database(&node, &format!("old{number}"), version)?;
        client.batch_execute("ALTER EXTENSION pg_snowflake UPDATE")?;
        let now = "SELECT extversion FROM pg_extension WHERE extname = 'pg_snowflake'";
        assert_eq!(client.query_one(now, &[])?.get::<_, String>(0), CURRENT);
        assert_eq!(catalog(&mut client)?, fresh, "version {version}");
    }
    Ok(())
}

/// What users have made with 0.1.0.
const OLD_USE: &str = "
    CREATE TABLE orders (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), note text,
        day timestamptz GENERATED ALWAYS AS (snowflake_timestamp(id)) STORED);
    CREATE INDEX ON orders (snowflake_to_base32(id));
    CREATE VIEW recent AS SELECT * FROM orders
        WHERE snowflake_between(id, now() - interval '1 hour', now() + interval '1 hour');
    CREATE VIEW first AS SELECT snowflake_from_timestamp('2026-01-01 00:00+00') AS id,
        snowflake_encode('2026-01-01 00:00+00', 1, 1, 0) AS encoded;
    CREATE TRIGGER guard BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION snowflake_guard('error');
    INSERT INTO orders (note) SELECT 'before' FROM generate_series(1, 100);
    GRANT EXECUTE ON FUNCTION snowflake_nextval() TO pg_monitor;";

#[test]
fn an_update_keeps_data_defaults_and_what_uses_the_functions() -> Result<()> {
    offer("0.1.0")?;
    let node = Node::builder("update in use").start()?;
    let mut client = database(&node, "shop", "0.1.0")?;
    client.batch_execute(OLD_USE)?;
    let last: i64 = client.query_one("SELECT max(id) FROM orders", &[])?.get(0);
    client.batch_execute("ALTER EXTENSION pg_snowflake UPDATE")?;
    client.batch_execute("INSERT INTO orders (note) VALUES ('after')")?;
    let row = client.query_one(
        "SELECT count(*), count(*) FILTER (WHERE id > $1), count(DISTINCT id), bool_and(day IS NOT NULL),
            (SELECT count(*) FROM recent), (SELECT encoded > id FROM first),
            has_function_privilege('pg_monitor', 'snowflake_nextval()', 'EXECUTE')
         FROM orders",
        &[&last],
    )?;
    let counts: [i64; 4] = [row.get(0), row.get(1), row.get(2), row.get(4)];
    assert_eq!(counts, [101, 1, 101, 101]);
    assert!(row.get(3) && row.get(5) && row.get(6), "{row:?}");
    // By their new names.
    client.batch_execute(
        "SELECT snowflake_between(id => 0, from_time => now(), to_time => now() + '1 s'),
            snowflake_from_timestamp(id_time => now()),
            snowflake_encode(id_time => now(), datacenter => 1, machine => 1, sequence => 1)",
    )?;
    Ok(())
}

#[test]
fn an_extension_that_is_not_updated_yet_issues_and_says_what_is_missing() -> Result<()> {
    offer("0.1.0")?;
    let node = Node::builder("old surface").start()?;
    let mut client = database(&node, "shop", "0.1.0")?;
    client.batch_execute(OLD_USE)?;
    client.batch_execute(
        "SELECT snowflake_decode(snowflake_nextval()), snowflake_decode_jsonb(snowflake_reserve(10));
         SELECT count(*) FROM snowflake_nextval_batch(1000);
         SELECT * FROM snowflake_audit('orders', 'id');
         SELECT snowflake_from_base62(snowflake_to_base62(id)) FROM orders LIMIT 1",
    )?;
    for (call, name) in [
        ("SELECT * FROM snowflake_status", "snowflake_status"),
        ("SELECT snowflake_lastval()", "snowflake_lastval"),
        ("SELECT snowflake_adopt('orders')", "snowflake_adopt"),
        ("SELECT snowflake_partition('orders', now(), now())", "snowflake_partition"),
    ] {
        let refused = refusal(client.batch_execute(call))?;
        assert_eq!(
            refused.message,
            format!("function {name}() is of an older version of pg_snowflake")
        );
        assert!(refused.hint.contains("ALTER EXTENSION pg_snowflake UPDATE"), "{refused:?}");
    }
    Ok(())
}

#[test]
fn who_owns_the_extension_does_not_come_to_own_what_an_update_brings() -> Result<()> {
    offer("0.1.0")?;
    let node = Node::builder("owner").start()?;
    node.connect("postgres")?.batch_execute("CREATE ROLE tenant")?;
    node.connect("postgres")?.batch_execute("CREATE DATABASE shop OWNER tenant")?;
    let mut client = node.connect("shop")?;
    client.batch_execute(
        "SET ROLE tenant; CREATE SCHEMA theirs; SET search_path = theirs;
         CREATE EXTENSION pg_snowflake VERSION '0.1.0';
         CREATE FUNCTION snowflake_raise(id bigint) RETURNS void LANGUAGE sql AS 'SELECT';
         ALTER EXTENSION pg_snowflake ADD FUNCTION snowflake_raise(bigint)",
    )?;
    let refused = refusal(client.batch_execute("ALTER EXTENSION pg_snowflake UPDATE"))?;
    assert_eq!(refused.code, "42723", "{refused:?}");
    client.batch_execute(
        "ALTER EXTENSION pg_snowflake DROP FUNCTION snowflake_raise(bigint);
         DROP FUNCTION snowflake_raise(bigint);
         ALTER EXTENSION pg_snowflake UPDATE",
    )?;
    let refused = refusal(client.batch_execute("SELECT snowflake_raise(0)"))?;
    assert_eq!(refused.code, "42501", "{refused:?}");
    Ok(())
}
