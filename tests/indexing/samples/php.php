<?php
declare(strict_types=1);
namespace App\Models;
use X\Y;
const TOP = 1;
define('OTHER', 2);
/**
 * A user.
 */
#[Entity]
final class User extends Model
{
    use Trait1;
    public const LIMIT = 1;
    private int $size = 3;
    public static function find(int $id): ?self
    {
        $f = function () {};
        return null;
    }
    abstract protected function x();
}
interface HasName { function name(); }
trait T { function t() {} }
enum Suit: string { case Hearts = 'H'; public function label() {} }
function &helper() {}
if (! function_exists('env')) {
    function env() {}
}
return new class { function up() {} };
