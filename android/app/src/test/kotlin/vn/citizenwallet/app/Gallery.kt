package vn.citizenwallet.app

import android.app.Activity
import android.content.res.Configuration
import android.graphics.Bitmap
import android.graphics.Canvas
import android.view.ContextThemeWrapper
import android.view.View
import android.view.ViewGroup
import android.widget.ScrollView
import vn.citizenwallet.app.ui.Ui
import vn.citizenwallet.app.ui.Words
import java.io.File

/**
 * Draws screens as a phone of 360 x 800 dp shows them, in both languages, at 100 % and 200 % text, by day and by night; a screen that scrolls is
 * drawn in full length. Every drawing is checked by [Checks]; what they find is collected in [findings].
 *
 * @param folder where the pictures go, and the page that shows them all
 */
class Gallery(private val folder: File) {
    /** What is wrong, with the picture's name. */
    val findings = ArrayList<String>()

    /** The screens drawn so far, in order. */
    val names = LinkedHashSet<String>()

    init {
        folder.mkdirs()
    }

    /** Draws what the handset shows now, in all eight ways. */
    fun look(name: String, handset: Handset) {
        val screen = handset.screen
        draw(name, handset.activity) { screen.build(it) }
    }

    /** Draws what [build] makes, in all eight ways. */
    fun draw(name: String, activity: Activity, build: (Ui) -> View) {
        names += name
        for (way in Way.ALL) {
            val ui = way.ui(activity)
            val view = build(ui)
            val bitmap = picture(view, ui)
            val file = way.file(name)
            findings += Checks(view, bitmap, ui.context.resources.displayMetrics.density).findings().map { "$file: $it" }
            File(folder, file).writeBytes(PalettePng.of(bitmap))
        }
    }

    private fun picture(view: View, ui: Ui): Bitmap {
        val metrics = ui.context.resources.displayMetrics
        val width = (WIDTH * metrics.density).toInt()
        var height = (HEIGHT * metrics.density).toInt()
        lay(view, width, height)
        // A screen that scrolls is as long as what is in it.
        val scroll = Handset.all(view).filterIsInstance<ScrollView>().firstOrNull()
        val more = scroll?.let { it.getChildAt(0).measuredHeight - it.measuredHeight } ?: 0
        if (more > 0) {
            height += more
            lay(view, width, height)
        }
        still(view)
        return Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888).also { view.draw(Canvas(it)) }
    }

    /** Nothing is in the middle of a movement: switches and choices are drawn as they are. */
    private fun still(view: View) = Handset.all(view).forEach { it.jumpDrawablesToCurrentState() }

    private fun lay(view: View, width: Int, height: Int) {
        view.layoutParams = view.layoutParams ?: ViewGroup.LayoutParams(width, height)
        view.measure(View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY), View.MeasureSpec.makeMeasureSpec(height, View.MeasureSpec.EXACTLY))
        view.layout(0, 0, width, height)
    }

    /** The page that shows all pictures. */
    fun page() {
        val rows = names.joinToString("\n") { name ->
            val cells = Way.ALL.joinToString("") { """<td><a href="${it.file(name)}"><img loading="lazy" src="${it.file(name)}" alt="$name, ${it.label}"></a></td>""" }
            """<tr><th scope="row">$name</th>$cells</tr>"""
        }
        val heads = Way.ALL.joinToString("") { """<th scope="col">${it.label}</th>""" }
        File(folder, "index.html").writeText(
            """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Citizen Wallet: every screen</title>
<style>
body { font: 15px/1.4 sans-serif; margin: 1.5em; background: #fff; color: #222 }
th { text-align: left; vertical-align: top; padding: .4em .8em .4em 0; position: sticky; left: 0; background: #fff }
td { vertical-align: top; padding: .3em } img { width: 180px; border: 1px solid #bbb }
</style>
<h1>Citizen Wallet: every screen</h1>
<p>Drawn by <code>ScreensTest</code> with Android's own drawing code, on the real core, a real central service and a simulated card; the people are invented.
A phone of 360 x 800 dp; a screen that scrolls is drawn in full length.</p>
<table>
<tr><th></th>$heads</tr>
$rows
</table>
</html>
""",
        )
    }

    /** One of the eight ways to draw. */
    class Way(private val language: String, private val scale: Float, private val night: Boolean) {
        val label = "$language, ${(scale * 100).toInt()} %, ${if (night) "dark" else "light"}"

        fun file(name: String) = "$name.$language.${(scale * 100).toInt()}.${if (night) "dark" else "light"}.png"

        fun ui(activity: Activity): Ui {
            val configuration = Configuration(activity.resources.configuration).apply {
                fontScale = scale
                densityDpi = DENSITY
                screenWidthDp = WIDTH
                screenHeightDp = HEIGHT
                uiMode = uiMode and Configuration.UI_MODE_NIGHT_MASK.inv() or (if (night) Configuration.UI_MODE_NIGHT_YES else Configuration.UI_MODE_NIGHT_NO)
            }
            return Ui(ContextThemeWrapper(activity.createConfigurationContext(configuration), R.style.Theme_Wallet), Words(language))
        }

        companion object {
            val ALL = listOf("vi", "en").flatMap { language -> listOf(1f, 2f).flatMap { scale -> listOf(false, true).map { Way(language, scale, it) } } }
        }
    }

    private companion object {
        const val WIDTH = 360
        const val HEIGHT = 800
        const val DENSITY = 160
    }
}
