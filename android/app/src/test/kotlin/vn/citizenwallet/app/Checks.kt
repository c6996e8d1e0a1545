package vn.citizenwallet.app

import android.graphics.Bitmap
import android.graphics.Rect
import android.view.View
import android.view.ViewGroup
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.EditText
import android.widget.ScrollView
import android.widget.TextView

/** What code can see of a drawn screen: cut or overlapping text, contrast, targets, labels. */
class Checks(private val root: View, private val bitmap: Bitmap, private val density: Float) {
    private val found = ArrayList<String>()
    private val pixels = IntArray(bitmap.width * bitmap.height).also { bitmap.getPixels(it, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height) }

    /** Everything that is wrong; empty when nothing is. */
    fun findings(): List<String> {
        val views = Handset.all(root)
        views.forEach { view ->
            inside(view)
            if (view is TextView && view.text.isNotBlank()) {
                whole(view)
                contrast(view)
            }
            if (view.isClickable || view is EditText) control(view)
        }
        overlaps(views.filterIsInstance<TextView>().filter { it.text.isNotBlank() })
        return found
    }

    private fun name(view: View) = "${view.javaClass.simpleName} \"${Handset.label(view).take(30)}\""

    /** A view lies within its parent, and with it within the screen. */
    private fun inside(view: View) {
        val parent = view.parent as? ViewGroup ?: return
        if (parent is ScrollView) return
        val fits = view.left >= 0 && view.top >= 0 && view.right <= parent.width && view.bottom <= parent.height
        if (!fits) found += "${name(view)} reaches beyond its parent"
        if (view.width <= 0 && view is TextView) found += "${name(view)} has no width"
    }

    /** All of a text is drawn: no ellipsis, no line cut at the side or below. */
    private fun whole(view: TextView) {
        val layout = view.layout ?: return Unit.also { found += "${name(view)} was not laid out" }
        val lines = 0 until layout.lineCount
        if (lines.any { layout.getEllipsisCount(it) > 0 }) found += "${name(view)} ends in an ellipsis"
        val (wide, high) = view.width - view.compoundPaddingLeft - view.compoundPaddingRight to view.height - view.compoundPaddingTop - view.compoundPaddingBottom
        if (lines.any { layout.getLineMax(it) > wide + 1 }) found += "${name(view)} is cut at the side"
        if (layout.height > high + 1) found += "${name(view)} is cut below"
        if (layout.text.toString() != view.transformationMethod?.getTransformation(view.text, view)?.toString() && layout.text.toString() != view.text.toString()) {
            found += "${name(view)} is drawn with other words"
        }
        // A word broken in its middle is hard to read: a line may only end where the text has a space, a hyphen or its end.
        if (view !is EditText) for (line in lines.toList().dropLast(1)) {
            val end = layout.getLineEnd(line)
            val last = layout.text[end - 1]
            if (last.isLetter() && layout.text[end].isLetter()) found += "${name(view)} breaks a word: ${layout.text.subSequence(maxOf(0, end - 8), minOf(layout.text.length, end + 8))}"
        }
    }

    /** Texts do not lie on each other. */
    private fun overlaps(texts: List<TextView>) {
        val places = texts.map { it to place(it) }
        for (one in places.indices) for (other in one + 1 until places.size) {
            val (a, b) = places[one].second to places[other].second
            if (Rect.intersects(a, b)) found += "${name(places[one].first)} lies on ${name(places[other].first)}"
        }
    }

    /** The rectangle of a view in the picture. */
    private fun place(view: View): Rect {
        val rect = Rect(0, 0, view.width, view.height)
        (root as ViewGroup).let { if (view !== it) it.offsetDescendantRectToMyCoords(view, rect) }
        return rect
    }

    /** The text against what is drawn behind it, measured: WCAG 2.1 AA for text of any size. */
    private fun contrast(view: TextView) {
        val rect = place(view)
        if (!rect.intersect(0, 0, bitmap.width, bitmap.height)) return
        val counts = HashMap<Int, Int>()
        for (y in rect.top until rect.bottom) for (x in rect.left until rect.right) counts.merge(pixels[y * bitmap.width + x], 1, Int::plus)
        val ground = counts.maxByOrNull { it.value }!!.key
        val drawn = counts.keys.maxOf { contrast(it, ground) }
        val asked = contrast(view.currentTextColor, ground)
        // Thin strokes are mixed with the ground by smoothing, so the colour asked for is measured against the ground drawn.
        if (asked < LEAST) found += "${name(view)} has a contrast of %.2f".format(asked)
        if (drawn < LEAST) found += "${name(view)} is drawn with a contrast of %.2f".format(drawn)
    }

    private fun control(view: View) {
        val least = (TARGET * density).toInt()
        if (view.width < least || view.height < least) found += "${name(view)} is only ${view.width} x ${view.height}"
        if (spoken(view).isBlank()) found += "${name(view)} has no label"
    }

    /** What a screen reader calls a control. */
    private fun spoken(view: View): String {
        if (view !is EditText) return Handset.label(view)
        val info = AccessibilityNodeInfo.obtain()
        view.onInitializeAccessibilityNodeInfo(info)
        view.accessibilityDelegateOf()?.onInitializeAccessibilityNodeInfo(view, info)
        return info.hintText?.toString().orEmpty()
    }

    private fun View.accessibilityDelegateOf(): View.AccessibilityDelegate? = accessibilityDelegate

    companion object {
        /** WCAG 2.1, 1.4.3. */
        const val LEAST = 4.5

        /** Android's accessibility guide, dp. */
        const val TARGET = 48

        /** Contrast of two colours by WCAG 2.1. */
        fun contrast(one: Int, other: Int): Double {
            val (a, b) = luminance(one) to luminance(other)
            return (maxOf(a, b) + 0.05) / (minOf(a, b) + 0.05)
        }

        private fun luminance(colour: Int): Double {
            val channel = { shift: Int ->
                val value = (colour shr shift and 0xff) / 255.0
                if (value <= 0.03928) value / 12.92 else Math.pow((value + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
        }
    }
}
