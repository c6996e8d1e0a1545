package vn.citizenwallet.app.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Path
import android.graphics.RectF
import android.view.View
import android.view.ViewGroup

/** A drawn shape of a fixed size in dp; the words beside it say the same, so screen readers pass it by. */
abstract class Mark(context: Context, private val size: Int) : View(context) {
    protected val paint = Paint(Paint.ANTI_ALIAS_FLAG)

    init {
        val pixels = (size * context.resources.displayMetrics.density + 0.5f).toInt()
        layoutParams = ViewGroup.LayoutParams(pixels, pixels)
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_NO
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) = setMeasuredDimension(layoutParams.width, layoutParams.height)

    /** Draws in a square of 24 units. */
    protected abstract fun drawIn24(canvas: Canvas)

    override fun onDraw(canvas: Canvas) {
        canvas.save()
        canvas.scale(width / 24f, height / 24f)
        drawIn24(canvas)
        canvas.restore()
    }

    protected fun fill(colour: Int) = paint.apply { style = Paint.Style.FILL; color = colour }

    protected fun stroke(colour: Int, width: Float) = paint.apply {
        style = Paint.Style.STROKE
        strokeWidth = width
        strokeCap = Paint.Cap.ROUND
        strokeJoin = Paint.Join.ROUND
        color = colour
    }

    protected fun path(vararg points: Float, close: Boolean = false) = Path().apply {
        moveTo(points[0], points[1])
        for (at in 2 until points.size step 2) lineTo(points[at], points[at + 1])
        if (close) close()
    }
}

/** A verdict by its shape: a disc with a tick, a triangle with an exclamation mark, an octagon with a cross. */
class VerdictMark(context: Context, private val shape: Shape, private val ground: Int, private val sign: Int, size: Int) : Mark(context, size) {
    /** The three shapes. */
    enum class Shape { DISC, TRIANGLE, OCTAGON }

    override fun drawIn24(canvas: Canvas) {
        when (shape) {
            Shape.DISC -> {
                canvas.drawCircle(12f, 12f, 11f, fill(ground))
                canvas.drawPath(path(6.8f, 12.4f, 10.4f, 16f, 17.2f, 8.6f), stroke(sign, 2.4f))
            }
            Shape.TRIANGLE -> {
                canvas.drawPath(path(12f, 2f, 23f, 21.5f, 1f, 21.5f, close = true), fill(ground))
                canvas.drawLine(12f, 9f, 12f, 14.6f, stroke(sign, 2.2f))
                canvas.drawCircle(12f, 18.2f, 1.3f, fill(sign))
            }
            Shape.OCTAGON -> {
                canvas.drawPath(path(7.4f, 1f, 16.6f, 1f, 23f, 7.4f, 23f, 16.6f, 16.6f, 23f, 7.4f, 23f, 1f, 16.6f, 1f, 7.4f, close = true), fill(ground))
                canvas.drawPath(path(8f, 8f, 16f, 16f), stroke(sign, 2.4f))
                canvas.drawPath(path(16f, 8f, 8f, 16f), stroke(sign, 2.4f))
            }
        }
    }
}

/** A step by its shape: a full disc with a tick (done), a ring with a full middle (now), an empty ring (to do). */
class StepMark(context: Context, private val state: State, private val colour: Int, private val sign: Int) : Mark(context, 26) {
    /** Where the step is. */
    enum class State { DONE, CURRENT, TODO }

    override fun drawIn24(canvas: Canvas) = when (state) {
        State.DONE -> {
            canvas.drawCircle(12f, 12f, 10f, fill(colour))
            canvas.drawPath(path(7.4f, 12.4f, 10.6f, 15.6f, 16.6f, 9f), stroke(sign, 2.2f))
        }
        State.CURRENT -> {
            canvas.drawCircle(12f, 12f, 9f, stroke(colour, 2.2f))
            canvas.drawCircle(12f, 12f, 4.6f, fill(colour))
        }
        State.TODO -> canvas.drawCircle(12f, 12f, 9f, stroke(colour, 1.8f))
    }
}

/**
 * A drawing [wide] by [high] units in the middle of the view, at most [widest] dp wide. [label] is what screen readers say.
 */
abstract class Picture(context: Context, private val widest: Int, private val wide: Float, private val high: Float, label: String) : View(context) {
    private val paint = Paint(Paint.ANTI_ALIAS_FLAG).apply { strokeCap = Paint.Cap.ROUND }

    /** Pixels of a unit. */
    private var scale = 0f

    init {
        contentDescription = label
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_YES
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val room = MeasureSpec.getSize(widthMeasureSpec)
        scale = minOf(room.toFloat(), widest * resources.displayMetrics.density) / wide
        setMeasuredDimension(room, (high * scale).toInt())
    }

    /** Draws, in units. */
    protected abstract fun drawInUnits(canvas: Canvas)

    override fun onDraw(canvas: Canvas) {
        canvas.save()
        canvas.translate((width - wide * scale) / 2f, 0f)
        canvas.scale(scale, scale)
        drawInUnits(canvas)
        canvas.restore()
    }

    protected fun fill(colour: Int) = paint.apply { style = Paint.Style.FILL; color = colour }

    protected fun stroke(colour: Int, width: Float) = paint.apply { style = Paint.Style.STROKE; strokeWidth = width; color = colour }

    /** A rectangle with round corners. */
    protected fun Canvas.box(left: Float, top: Float, right: Float, bottom: Float, radius: Float, paint: Paint) =
        drawRoundRect(RectF(left, top, right, bottom), radius, radius, paint)
}

/** A picture of a card's front, and where its number stands: the last six digits are marked. */
class CardPicture(context: Context, private val paper: Int, private val quiet: Int, private val accent: Int, label: String) : Picture(context, 320, 160f, 100f, label) {
    override fun drawInUnits(canvas: Canvas) = canvas.run {
        box(1f, 1f, 159f, 99f, 8f, fill(paper))
        box(1f, 1f, 159f, 99f, 8f, stroke(quiet, 1.2f))
        // The emblem, the lines of the title, the portrait, the other lines.
        drawCircle(20f, 18f, 8f, fill(quiet))
        box(52f, 10f, 132f, 14f, 2f, fill(quiet))
        box(62f, 19f, 122f, 22f, 1.5f, fill(quiet))
        box(10f, 36f, 42f, 80f, 3f, fill(quiet))
        drawCircle(26f, 52f, 7f, fill(paper))
        box(15f, 62f, 37f, 80f, 8f, fill(paper))
        for (row in 0..2) box(52f, 62f + row * 11f, 136f - row * 16f, 65f + row * 11f, 1.5f, fill(quiet))
        // The number: six quiet digits, six marked ones in a frame.
        for (digit in 0..11) {
            val marked = digit >= 6
            val x = (if (marked) 57f else 53f) + digit * 8f
            box(x, 38f, x + 5.4f, 48f, 1.4f, fill(if (marked) accent else quiet))
        }
        box(101.6f, 34f, 153.8f, 52f, 4f, stroke(accent, 2f))
    }
}

/** A phone from behind with a card against its upper half. */
class HoldPicture(context: Context, private val ink: Int, private val paper: Int, private val accent: Int, label: String) : Picture(context, 220, 120f, 90f, label) {
    override fun drawInUnits(canvas: Canvas) = canvas.run {
        box(38f, 3f, 82f, 88f, 7f, fill(paper))
        box(38f, 3f, 82f, 88f, 7f, stroke(ink, 2f))
        drawCircle(48f, 13f, 4f, stroke(ink, 2f))
        box(24f, 24f, 96f, 66f, 5f, fill(accent))
        box(31f, 32f, 47f, 46f, 2f, fill(paper))
        box(52f, 33f, 89f, 37f, 2f, fill(paper))
        box(52f, 41f, 80f, 45f, 2f, fill(paper))
        for (wave in 0..2) drawArc(RectF(92f - wave * 5, 33f - wave * 5, 104f + wave * 5, 57f + wave * 5), -45f, 90f, false, stroke(accent, 2f))
    }
}
