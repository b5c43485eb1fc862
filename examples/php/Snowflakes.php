<?php
declare(strict_types=1);

namespace Shop;

use Doctrine\ORM\EntityManagerInterface;
use Doctrine\ORM\Id\AbstractIdGenerator;

/** Keys from a reserved block. A worker that forks begins with a new one. */
class Snowflakes extends AbstractIdGenerator
{
    private const BLOCK = 100;
    private static int $next = 0;
    private static int $end = 0;
    private static int $process = 0;

    public function generateId(EntityManagerInterface $em, $entity): string
    {
        if (self::$next === self::$end || self::$process !== getmypid()) {
            $reserve = 'SELECT snowflake_reserve(?)';
            self::$next = (int) $em->getConnection()->fetchOne($reserve, [self::BLOCK]);
            self::$end = self::$next + self::BLOCK;
            self::$process = getmypid();
        }
        return (string) self::$next++;
    }
}
