package a.b

/** Draws. */
@Marker
public sealed interface Shape { fun area(): Double; val name: String }
const val LIMIT = 10
val Int.half: Int get() = this / 2
data class Point(val x: Int) : Shape {
    companion object {
        const val ZERO = 0
        fun of(x: Int) = Point(x)
    }
    private val hidden = 1
    constructor(a: String) : this(1)
    override suspend fun draw(
        canvas: Canvas,
    ): Unit {
        fun local() {}
    }
    var y: Int = 3
        get() = field
}
fun <T : Any> Flow<T>.collectAll(): List<T> = TODO()
enum class Color { RED, GREEN; fun next() = GREEN }
typealias Id = String
internal object Registry { fun find() = 1 }
fun interface Action { fun run() }
fun `odd name`() {}
