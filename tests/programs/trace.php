<?php
// SPDX-License-Identifier: MIT
// Calls that an execution trace shows: methods, closures, includes, exit().
class Shop
{
    private $stock = [3, 1, 2];

    public function sorted()
    {
        usort($this->stock, function ($a, $b) {
            return self::compare($a, $b);
        });
        return $this->stock;
    }

    public static function compare($a, $b)
    {
        return $a <=> $b;
    }
}

function fib($n)
{
    return $n < 2 ? $n : fib($n - 1) + fib($n - 2);
}

for ($i = 0; $i < 3; $i++) {
    (new Shop())->sorted();
    fib(4);
}
str_repeat('x;y', 1000);
if ($argc > 1) {
    exit(0);
}
