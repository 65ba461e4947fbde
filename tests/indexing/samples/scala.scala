package cats
package data

import x._

/** A monad. */
@typeclass
sealed abstract class Monad[F[_]] extends Functor[F] {
  val x = 1
  def map[A](fa: F[A]): F[A] = fa
  def abs: Int
  private[cats] implicit def lift(x: Int): Int = x
  type Id[A] = A
  class Inner
}
object Monad {
  implicit val m: Monad[Id] = new Monad[Id] { def map[A](x: A) = x }
  final val Max = 3
  given Ordering[Int] with { def compare(x: Int) = 1 }
  extension (x: Int) def foo = 1
}
case class Some[A](a: A)
trait Functor[F[_]]
enum Color { case Red, Green }
package object syntax { def x = 1 }
