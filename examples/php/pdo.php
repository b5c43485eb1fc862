<?php
// PDO: the key of a new row comes with RETURNING.
declare(strict_types=1);

// PGHOST and so on say where.
$db = new PDO('pgsql:', options: [PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);

function rows(string $sql, array $parameters = []): array
{
    global $db;
    $statement = $db->prepare($sql);
    $statement->execute($parameters);
    return $statement->fetchAll(PDO::FETCH_COLUMN);
}

rows('CREATE EXTENSION pg_snowflake');
rows('CREATE TABLE people (id bigint PRIMARY KEY DEFAULT snowflake_nextval(), name text NOT NULL)');
rows('CREATE TABLE letters (
    id bigint PRIMARY KEY DEFAULT snowflake_nextval(),
    person_id bigint NOT NULL REFERENCES people,
    note text NOT NULL
)');

// One row.
[$ann] = rows('INSERT INTO people (name) VALUES (?) RETURNING id', ['Ann']);
assert(is_int($ann) && $ann > 2 ** 53);
try {
    $db->lastInsertId();
    assert(false);
} catch (PDOException $error) {
    assert(str_contains($error->getMessage(), 'lastval is not yet defined'));
}

// Many.
$notes = array_map(fn (int $n): string => "letter $n", range(0, 999));
[$before] = rows('SELECT example.statements()');
$values = implode(', ', array_fill(0, 1000, '(?, ?)'));
$parameters = array_merge(...array_map(fn (string $note): array => [$ann, $note], $notes));
$ids = rows("INSERT INTO letters (person_id, note) VALUES $values RETURNING id", $parameters);
[$after] = rows('SELECT example.statements()');
printf("statements for 1,000 rows by VALUES: %d\n", $after - $before);
assert($after - $before === 1);
$sorted = array_unique($ids);
sort($sorted);
assert(count($ids) === 1000 && $sorted === $ids);
assert(rows("SELECT note FROM letters JOIN people AS p ON p.id = person_id WHERE p.name = 'Ann' ORDER BY letters.id")
    === $notes);

// Page by page.
$read = [];
$last = 0;
while ($page = rows('SELECT id FROM letters WHERE id > ? ORDER BY id LIMIT 300', [$last])) {
    array_push($read, ...$page);
    $last = end($page);
}
assert($read === $ids);

// A window of time.
$at = fn (string $when): string => (new DateTimeImmutable($when))->format(DATE_RFC3339_EXTENDED);
$count = 'SELECT count(*) FROM letters WHERE snowflake_between(id, ?, ?)';
assert(rows($count, [$at('-1 hour'), $at('+1 hour')]) === [1000]);
assert(rows($count, [$at('-2 hours'), $at('-1 hour')]) === [0]);
