<?php
// Doctrine ORM: a generator of keys that takes a block at a time, so a parent has its key before its rows are sent.
declare(strict_types=1);

use Doctrine\DBAL\DriverManager;
use Doctrine\ORM\Configuration;
use Doctrine\ORM\EntityManager;
use Doctrine\ORM\Mapping\Driver\AttributeDriver;
use Doctrine\ORM\Tools\SchemaTool;
use Shop\Customer;
use Shop\Order;

require 'Doctrine/ORM/autoload.php';
require 'Doctrine/DBAL/autoload.php';
require 'Snowflakes.php';
require 'entities.php';

$config = new Configuration();
$config->setMetadataDriverImpl(new AttributeDriver([__DIR__]));
$config->setProxyDir(sys_get_temp_dir());
$config->setProxyNamespace('Proxies');
$connection = DriverManager::getConnection([
    'driver' => 'pdo_pgsql',
    'host' => getenv('PGHOST'),
    'user' => getenv('PGUSER'),
    'dbname' => getenv('PGDATABASE'),
], $config);
$em = new EntityManager($connection, $config);
$classes = [$em->getClassMetadata(Customer::class), $em->getClassMetadata(Order::class)];
$statements = fn (): int => (int) $connection->fetchOne('SELECT example.statements()');

// pdo.php has made the extension.
$schema = new SchemaTool($em);
$schema->createSchema($classes);
$differences = fn (): array => preg_grep('/customers|orders/', $schema->getUpdateSchemaSql($classes, true));
assert($differences() === []);
// For the rows of others. From now on the schema tool wants to drop these defaults: leave it out of migrations.
foreach (['customers', 'orders'] as $table) {
    $connection->executeStatement("ALTER TABLE $table ALTER id SET DEFAULT snowflake_nextval()");
}
assert($differences() !== []);

// One row, with rows of its own.
$ann = new Customer('Ann');
new Order($ann, 'first');
$em->persist($ann);
assert((int) $ann->id > 2 ** 53 && $ann->id < $ann->orders[0]->id);
$em->flush();

// Many: a statement a row, and one for every hundred keys.
$before = $statements();
for ($n = 0; $n < 1000; $n++) {
    $em->persist(new Order($ann, "order $n"));
}
$em->flush();
$taken = $statements() - $before;
printf("statements for 1,000 rows by persist(): %d\n", $taken);
assert($taken === 1010);

// Related, and in the order in which they were made.
$em->clear();
$ann = $em->getRepository(Customer::class)->findOneBy(['name' => 'Ann']);
$ids = $ann->orders->map(fn (Order $order): string => $order->id)->toArray();
assert($ann->orders[8]->note === 'order 7' && count(array_unique($ids)) === 1001);

// Page by page.
$read = [];
$last = '0';
do {
    $page = $em->createQuery('SELECT o.id FROM Shop\Order o WHERE o.id > :last ORDER BY o.id')
        ->setParameter('last', $last)->setMaxResults(300)->getSingleColumnResult();
    array_push($read, ...array_map(strval(...), $page));
    $last = end($page);
} while (count($page) === 300);
assert($read === $ids);

// A window of time, which DQL has no words for.
$count = 'SELECT count(*) FROM orders WHERE snowflake_between(id, ?, ?)';
$between = fn (string $from, string $to): int => (int) $connection->fetchOne(
    $count,
    [new DateTimeImmutable($from), new DateTimeImmutable($to)],
    ['datetimetz_immutable', 'datetimetz_immutable'],
);
assert($between('-1 hour', '+1 hour') === 1001);
assert($between('-2 hours', '-1 hour') === 0);
