package vn.citizenwallet.app.ui

import android.graphics.BitmapFactory
import android.view.View
import android.widget.ImageView
import android.widget.LinearLayout
import vn.citizenwallet.app.R
import vn.citizenwallet.core.DisplayGroupView
import vn.citizenwallet.core.DisplayItemView
import vn.citizenwallet.core.DisplayRole
import vn.citizenwallet.core.DisplayValueView
import vn.citizenwallet.core.DisplayView

/**
 * Draws any [DisplayView]: groups of labelled values with roles. It knows no document, no fact and no problem, so a new kind needs no new screen.
 *
 * @param uncovered the secret rows that the person chose to see; kept by the screen.
 */
class DisplayRenderer(private val ui: Ui, private val uncovered: MutableSet<String> = HashSet()) {
    /** Each group as a card under its title; one that warns on a ground of the tone [warned]. */
    fun groups(display: DisplayView, warned: Ui.Tone = Ui.Tone.AMBER): List<View> = display.groups.map { group(it, warned) }

    /** All groups in one card, with smaller titles between them; for rows of a list. */
    fun compact(display: DisplayView): List<View> = display.groups.flatMap { group ->
        listOfNotNull(group.title.takeIf { it.isNotEmpty() }?.let { ui.small(ui.words(it)) }) + items(group)
    }

    /** The display's own title and all its lines, for one card of a list. */
    fun titled(display: DisplayView): List<View> =
        listOfNotNull(display.title.takeIf { it.isNotEmpty() }?.let { ui.heading(ui.words(it)) }) + compact(display)

    /** All lines without cards, on a ground of that tone; for a panel. */
    fun lines(display: DisplayView, tone: Ui.Tone): List<View> = display.groups.flatMap { group ->
        listOfNotNull(group.title.takeIf { it.isNotEmpty() }?.let { ui.small(ui.words(it), ui.color(tone.text)) }) + items(group, tone)
    }

    /** What a screen reader says for the whole display in one breath: labels and values that are not covered. */
    fun spoken(display: DisplayView): String = display.groups.flatMap { it.items }.filter { it.role != DisplayRole.SECRET }.joinToString(". ") { item ->
        listOf(item.label.takeIf { it.isNotEmpty() }?.let { ui.words(it) }, text(item)).filter { !it.isNullOrEmpty() }.joinToString(": ")
    }

    private fun group(group: DisplayGroupView, warned: Ui.Tone): View {
        val used = if (group.items.any { it.role == DisplayRole.WARNING }) warned else Ui.Tone.PLAIN
        val title = group.title.takeIf { it.isNotEmpty() }?.let { ui.heading(ui.words(it), ui.color(used.text)) }
        return ui.card(listOfNotNull(title) + items(group, used), used)
    }

    private fun items(group: DisplayGroupView, tone: Ui.Tone = Ui.Tone.PLAIN): List<View> = group.items.mapIndexed { index, item ->
        // A label that says what the title above it has just said is left out.
        val repeated = group.title.isNotEmpty() && label(item) == ui.words(group.title)
        item(if (repeated) item.copy(label = "") else item, "${group.title}/${item.field}/$index", tone)
    }

    /** Each role has its way; one that is new to the core does not compile here until it has one, too. */
    private fun item(item: DisplayItemView, place: String, tone: Ui.Tone): View = when (item.role) {
        DisplayRole.PLAIN, DisplayRole.PORTRAIT -> plain(item, tone, large = false)
        DisplayRole.TITLE -> plain(item, tone, large = true)
        DisplayRole.SECRET -> secret(item, place)
        DisplayRole.WARNING -> warning(item, tone)
        DisplayRole.DONE -> step(item, StepMark.State.DONE)
        DisplayRole.CURRENT -> step(item, StepMark.State.CURRENT)
        DisplayRole.TODO -> step(item, StepMark.State.TODO)
    }

    /** A picture is shown as one, whatever its role. */
    private fun plain(item: DisplayItemView, tone: Ui.Tone, large: Boolean): View =
        if (item.value is DisplayValueView.Image) portrait(item) else pair(item, tone, large)

    /** The value in words; nothing for a picture. */
    private fun text(item: DisplayItemView): String = when (val value = item.value) {
        is DisplayValueView.Text -> value.text
        is DisplayValueView.Key -> ui.words(value.key)
        is DisplayValueView.Image -> ""
    }

    private fun label(item: DisplayItemView): String = if (item.label.isEmpty()) "" else ui.words(item.label)

    private fun pair(item: DisplayItemView, tone: Ui.Tone, large: Boolean): View {
        val (label, value) = label(item) to text(item)
        val colour = ui.color(tone.text)
        val quiet = if (tone == Ui.Tone.PLAIN) ui.color(R.color.text_quiet) else colour
        val views = listOfNotNull(
            label.takeIf { it.isNotEmpty() }?.let { ui.small(it, quiet) },
            value.takeIf { it.isNotEmpty() }?.let { if (large) ui.title(it, colour) else ui.body(it, colour) },
        )
        return together(ui.column(views, gap = 2), "$label: $value".removePrefix(": ").removeSuffix(": "))
    }

    private fun warning(item: DisplayItemView, tone: Ui.Tone): View {
        val used = if (tone == Ui.Tone.PLAIN) Ui.Tone.AMBER else tone
        val (label, value) = label(item) to text(item)
        val colour = ui.color(used.text)
        val words = listOfNotNull(label.takeIf { it.isNotEmpty() && value.isNotEmpty() }?.let { ui.small(it, colour) }, ui.body(value.ifEmpty { label }, colour))
        return together(ui.beside(ui.icon(R.drawable.icon_warning, colour), ui.column(words, gap = 2)), "$label: $value".removePrefix(": ").removeSuffix(": "))
    }

    private fun step(item: DisplayItemView, state: StepMark.State): View {
        val done = state == StepMark.State.DONE
        val colour = ui.color(if (done) R.color.green else if (state == StepMark.State.CURRENT) R.color.accent else R.color.text_quiet)
        val mark = StepMark(ui.context, state, colour, ui.color(R.color.on_green))
        val (label, value) = label(item) to text(item)
        val first = ui.body(label, ui.color(if (state == StepMark.State.TODO) R.color.text_quiet else R.color.text))
        // The value says in words what the shape says.
        return together(ui.beside(mark, ui.column(first, ui.small(value), gap = 2)), "$label: $value")
    }

    /** Covered until tapped; tapping again covers it. */
    private fun secret(item: DisplayItemView, place: String): View {
        val (label, value) = label(item) to text(item)
        val covered = ui.words("app.secret.covered")
        val words = ui.body(if (place in uncovered) value else covered)
        val block = ui.beside(ui.column(ui.small(label), words, gap = 2), View(ui.context), ui.icon(R.drawable.icon_eye, ui.color(R.color.accent)))
        // The words take the width, the space between nothing.
        (block.getChildAt(0).layoutParams as LinearLayout.LayoutParams).apply { width = 0; weight = 1f }
        (block.getChildAt(1).layoutParams as LinearLayout.LayoutParams).apply { width = 0; weight = 0f; marginStart = 0 }
        block.minimumHeight = ui.dp(Ui.TARGET)
        block.isFocusable = true
        block.filterTouchesWhenObscured = true
        block.accessibilityDelegate = AsButton
        fun tell() {
            val shown = place in uncovered
            words.text = if (shown) value else covered
            block.contentDescription = if (shown) "$label: $value. ${ui.words("app.secret.hide")}" else "$label. ${ui.words("app.secret.show")}"
        }
        block.setOnClickListener {
            if (!uncovered.add(place)) uncovered.remove(place)
            tell()
        }
        tell()
        hide(block)
        return block
    }

    private fun portrait(item: DisplayItemView): View {
        val image = item.value as DisplayValueView.Image
        val label = label(item)
        val bitmap = picture(image.bytes) ?: return pair(item.copy(value = DisplayValueView.Key("app.display.no-picture")), Ui.Tone.PLAIN, large = false)
        val view = ImageView(ui.context).apply {
            setImageBitmap(bitmap)
            adjustViewBounds = true
            scaleType = ImageView.ScaleType.FIT_START
            maxHeight = ui.dp(240)
            maxWidth = ui.dp(200)
            minimumHeight = ui.dp(160)
            contentDescription = label
        }
        return ui.column(ui.small(label), view, gap = Ui.Space.SMALL)
    }

    /** Label and value are read as one. */
    private fun together(view: View, spoken: String): View = view.apply {
        contentDescription = spoken.trim()
        isFocusable = true
        hide(this)
    }

    private fun hide(view: View) {
        val group = view as? android.view.ViewGroup ?: return
        for (at in 0 until group.childCount) group.getChildAt(at).importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
    }

    private companion object {
        /** Largest side of a portrait in pixels; a larger one is taken down while it is decoded. */
        const val MOST_PIXELS = 1024

        fun picture(bytes: ByteArray) = runCatching {
            val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
            BitmapFactory.decodeByteArray(bytes, 0, bytes.size, size)
            var sample = 1
            while (maxOf(size.outWidth, size.outHeight) / sample > MOST_PIXELS) sample *= 2
            BitmapFactory.decodeByteArray(bytes, 0, bytes.size, BitmapFactory.Options().apply { inSampleSize = sample })
        }.getOrNull()
    }
}
