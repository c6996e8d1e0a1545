package vn.citizenwallet.app.ui

import android.content.Context
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.view.View
import vn.citizenwallet.core.QrSymbol

/**
 * A QR symbol as large as width and window allow, so that all of it is seen at once in a phone held sideways, too; on whole pixels, black on white
 * with its quiet zone of four modules, by day and by night.
 *
 * @param label what screen readers say; the content itself says nothing to a person.
 */
class QrView(context: Context, private val symbol: QrSymbol, label: String) : View(context) {
    private val modules = symbol.width.toInt()
    private val paint = Paint().apply { color = Color.BLACK }

    init {
        contentDescription = label
        importantForAccessibility = IMPORTANT_FOR_ACCESSIBILITY_YES
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val room = MeasureSpec.getSize(widthMeasureSpec)
        val window = (resources.configuration.screenHeightDp * resources.displayMetrics.density * SHARE).toInt()
        setMeasuredDimension(room, minOf(room, window))
    }

    override fun onDraw(canvas: Canvas) {
        canvas.drawColor(Color.WHITE)
        val all = modules + 2 * QUIET
        val pixels = minOf(width, height) / all
        if (pixels == 0) return
        val left = (width - pixels * modules) / 2
        val top = (height - pixels * modules) / 2
        for (row in 0 until modules) {
            var column = 0
            while (column < modules) {
                if (!symbol.modules[row * modules + column]) {
                    column++
                    continue
                }
                val start = column
                while (column < modules && symbol.modules[row * modules + column]) column++
                canvas.drawRect(
                    (left + start * pixels).toFloat(), (top + row * pixels).toFloat(),
                    (left + column * pixels).toFloat(), (top + (row + 1) * pixels).toFloat(), paint,
                )
            }
        }
    }

    private companion object {
        /** ISO/IEC 18004: four modules of quiet zone. */
        const val QUIET = 4

        /** How much of the window's height it takes at most; the rest is the title's and the system's. */
        const val SHARE = 0.75f
    }
}
