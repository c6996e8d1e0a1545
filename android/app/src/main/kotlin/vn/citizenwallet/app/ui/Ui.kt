package vn.citizenwallet.app.ui

import android.content.Context
import android.content.res.ColorStateList
import android.graphics.drawable.ColorDrawable
import android.graphics.drawable.Drawable
import android.graphics.drawable.GradientDrawable
import android.graphics.drawable.InsetDrawable
import android.graphics.drawable.RippleDrawable
import android.os.Build
import android.text.InputType
import android.util.TypedValue
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.EditorInfo
import android.widget.Button
import android.widget.EditText
import android.widget.FrameLayout
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.RadioButton
import android.widget.Switch
import android.widget.TextView
import vn.citizenwallet.app.R

/**
 * The design system: one type scale, one spacing scale, a few kinds of views. Every screen is built of these and of nothing else.
 *
 * No view has a fixed height, no text is cut: at 200 % text everything grows and the screen scrolls.
 */
class Ui(val context: Context, val words: Words) {
    /** Spaces in dp. */
    object Space {
        const val HAIR = 4
        const val SMALL = 8
        const val MIDDLE = 12
        const val LARGE = 16
        const val HUGE = 24
    }

    /** Sizes of text in sp. */
    object Type {
        const val GREAT = 26f
        const val TITLE = 21f
        const val HEADING = 17f
        const val BODY = 16f
        const val SMALL = 14f
    }

    /** Colours of a block: its ground and the text on it. */
    enum class Tone(val ground: Int, val text: Int) {
        PLAIN(R.color.surface, R.color.text),
        ACCENT(R.color.accent_soft, R.color.on_accent_soft),
        GREEN(R.color.green_soft, R.color.on_green_soft),
        AMBER(R.color.amber_soft, R.color.on_amber_soft),
        RED(R.color.red_soft, R.color.on_red_soft),
    }

    private val density = context.resources.displayMetrics.density

    /** Pixels of a length in dp. */
    fun dp(length: Int): Int = (length * density + 0.5f).toInt()

    /** A colour of the palette that is in force. */
    fun color(id: Int): Int = context.getColor(id)

    // --- boxes

    /** Views one below the other, [gap] dp apart. */
    fun column(views: List<View>, gap: Int = Space.MIDDLE): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        views.forEachIndexed { index, view ->
            addView(view, LinearLayout.LayoutParams(match, wrap).apply { topMargin = if (index == 0) 0 else dp(gap) })
        }
    }

    /** Views one below the other. */
    fun column(vararg views: View?, gap: Int = Space.MIDDLE): LinearLayout = column(views.filterNotNull(), gap)

    /** A mark, and beside it a block that takes the rest of the width. */
    fun beside(mark: View, block: View, end: View? = null, gap: Int = Space.MIDDLE): LinearLayout = LinearLayout(context).apply {
        orientation = LinearLayout.HORIZONTAL
        gravity = Gravity.CENTER_VERTICAL
        addView(mark, LinearLayout.LayoutParams(mark.layoutParams?.width ?: wrap, mark.layoutParams?.height ?: wrap))
        addView(block, LinearLayout.LayoutParams(0, wrap, 1f).apply { marginStart = dp(gap) })
        end?.let { addView(it, LinearLayout.LayoutParams(it.layoutParams?.width ?: wrap, wrap).apply { marginStart = dp(gap) }) }
    }

    /** A rounded block with its views one below the other. */
    fun card(views: List<View>, tone: Tone = Tone.PLAIN, gap: Int = Space.MIDDLE): LinearLayout = column(views, gap).apply {
        background = rounded(color(tone.ground), if (tone == Tone.PLAIN) color(R.color.surface_line) else null)
        setPadding(dp(Space.LARGE), dp(Space.LARGE), dp(Space.LARGE), dp(Space.LARGE))
    }

    /** A rounded block. */
    fun card(vararg views: View?, tone: Tone = Tone.PLAIN, gap: Int = Space.MIDDLE): LinearLayout = card(views.filterNotNull(), tone, gap)

    /** A rounded ground with an optional line around it. */
    fun rounded(fill: Int, line: Int? = null, radius: Int = 14): GradientDrawable = GradientDrawable().apply {
        setColor(fill)
        cornerRadius = dp(radius).toFloat()
        line?.let { setStroke(maxOf(1, dp(1)), it) }
    }

    // --- text

    private fun text(value: CharSequence, size: Float, colour: Int, medium: Boolean = false): TextView = TextView(context).apply {
        text = value
        setTextSize(TypedValue.COMPLEX_UNIT_SP, size)
        setTextColor(colour)
        setLineSpacing(0f, 1.12f)
        if (medium) typeface = MEDIUM
        breakStrategy = android.graphics.text.LineBreaker.BREAK_STRATEGY_SIMPLE
    }

    /** The largest text: what a screen is for, a place, a verdict. */
    fun great(value: CharSequence, colour: Int = color(R.color.text)): TextView = text(value, Type.GREAT, colour, medium = true)

    /** The title of a screen, or a value that is to be read first. */
    fun title(value: CharSequence, colour: Int = color(R.color.text)): TextView = text(value, Type.TITLE, colour, medium = true)

    /** The title of a group; a heading for screen readers. */
    fun heading(value: CharSequence, colour: Int = color(R.color.text)): TextView =
        text(value, Type.HEADING, colour, medium = true).also(::markHeading)

    /** Running text. */
    fun body(value: CharSequence, colour: Int = color(R.color.text)): TextView = text(value, Type.BODY, colour)

    /** Labels and remarks. */
    fun small(value: CharSequence, colour: Int = color(R.color.text_quiet)): TextView = text(value, Type.SMALL, colour)

    /** Tells screen readers that a view is a heading (Android 9 and later). */
    fun markHeading(view: View) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) view.isAccessibilityHeading = true
    }

    // --- marks

    /** One of the app's line drawings; without a label it says nothing to screen readers. */
    fun icon(drawable: Int, colour: Int, size: Int = 24, label: String? = null): ImageView = ImageView(context).apply {
        setImageDrawable(context.getDrawable(drawable)?.mutate()?.apply { setTint(colour) })
        contentDescription = label
        importantForAccessibility = if (label == null) View.IMPORTANT_FOR_ACCESSIBILITY_NO else View.IMPORTANT_FOR_ACCESSIBILITY_YES
        layoutParams = ViewGroup.LayoutParams(dp(size), dp(size))
    }

    // --- controls

    /** The one thing to do next. */
    fun primary(label: String, action: () -> Unit): Button = button(label, color(R.color.on_accent), rounded(color(R.color.accent), radius = 12), action)

    /** Something else that can be done. */
    fun secondary(label: String, action: () -> Unit): Button =
        button(label, color(R.color.accent), rounded(color(R.color.surface), color(R.color.accent), radius = 12), action)

    /** Something that ends or refuses. */
    fun refusing(label: String, action: () -> Unit): Button =
        button(label, color(R.color.red), rounded(color(R.color.surface), color(R.color.red), radius = 12), action)

    private fun button(label: String, colour: Int, ground: Drawable, action: () -> Unit): Button = Button(context).apply {
        text = label
        isAllCaps = false
        setTextSize(TypedValue.COMPLEX_UNIT_SP, Type.BODY)
        typeface = MEDIUM
        setTextColor(colour)
        background = pressable(ground)
        stateListAnimator = null
        elevation = 0f
        minHeight = dp(TARGET)
        minimumHeight = dp(TARGET)
        setPadding(dp(Space.LARGE), dp(Space.MIDDLE), dp(Space.LARGE), dp(Space.MIDDLE))
        filterTouchesWhenObscured = true
        setOnClickListener { action() }
    }

    /** Shows that a button cannot be pressed now; its words can be read still. */
    fun rest(button: Button) {
        button.setTextColor(color(R.color.text_quiet))
        button.background = rounded(color(R.color.surface_line), radius = 12)
    }

    /** A button that is a drawing; [label] is what screen readers say. */
    fun iconButton(drawable: Int, label: String, colour: Int = color(R.color.text), action: () -> Unit): ImageView = icon(drawable, colour, label = label).apply {
        layoutParams = ViewGroup.LayoutParams(dp(TARGET), dp(TARGET))
        minimumWidth = dp(TARGET)
        minimumHeight = dp(TARGET)
        scaleType = ImageView.ScaleType.CENTER
        background = pressable(ColorDrawable(0))
        filterTouchesWhenObscured = true
        setOnClickListener { action() }
    }

    /** A row that leads somewhere: a drawing, words, an arrow. */
    fun link(drawable: Int, label: String, remark: String? = null, action: () -> Unit): View {
        val words = column(body(label).apply { typeface = MEDIUM }, remark?.let { small(it) }, gap = 2)
        val row = beside(icon(drawable, color(R.color.accent)), words, icon(R.drawable.icon_next, color(R.color.text_quiet)), gap = Space.LARGE)
        return pressableCard(row, listOfNotNull(label, remark).joinToString(". "), action)
    }

    /** Makes a whole block one control with one label. */
    fun pressableCard(block: View, label: String, action: () -> Unit): View = FrameLayout(context).apply {
        background = pressable(rounded(color(R.color.surface), color(R.color.surface_line)))
        setPadding(dp(Space.LARGE), dp(Space.LARGE), dp(Space.LARGE), dp(Space.LARGE))
        minimumHeight = dp(TARGET)
        addView(block, FrameLayout.LayoutParams(match, wrap, Gravity.CENTER_VERTICAL))
        block.importantForAccessibility = View.IMPORTANT_FOR_ACCESSIBILITY_NO_HIDE_DESCENDANTS
        contentDescription = label
        isFocusable = true
        filterTouchesWhenObscured = true
        setOnClickListener { action() }
        accessibilityDelegate = AsButton
    }

    /** A line to write in, under its label. What is typed is kept by [typed] alone: it is never saved by the system nor filled in by others. */
    fun field(label: String, typed: Typed, kind: Field, remark: String? = null, done: () -> Unit = {}): View {
        val edit = EditText(context).apply {
            isSaveEnabled = false
            importantForAutofill = View.IMPORTANT_FOR_AUTOFILL_NO_EXCLUDE_DESCENDANTS
            inputType = kind.inputType
            imeOptions = EditorInfo.IME_ACTION_DONE or EditorInfo.IME_FLAG_NO_PERSONALIZED_LEARNING or EditorInfo.IME_FLAG_NO_EXTRACT_UI
            setTextSize(TypedValue.COMPLEX_UNIT_SP, Type.TITLE)
            setTextColor(color(R.color.text))
            background = rounded(color(R.color.surface), color(R.color.text_quiet), radius = 10)
            setPadding(dp(Space.MIDDLE), dp(Space.MIDDLE), dp(Space.MIDDLE), dp(Space.MIDDLE))
            minimumHeight = dp(TARGET)
            minHeight = dp(TARGET)
            id = View.generateViewId()
            if (!kind.secret) {
                // Long codes and places wrap; nothing of them is out of sight.
                setHorizontallyScrolling(false)
                maxLines = MOST_LINES
            }
            if (kind.secret) {
                letterSpacing = 0.2f
                setTextIsSelectable(false)
                isLongClickable = false
            }
            tag = typed
            typed.bind(this)
            setOnEditorActionListener { _, _, _ -> done(); true }
        }
        val name = small(label).apply { labelFor = edit.id }
        // The label is read for the line by `labelFor`; older readers get it as the hint.
        edit.hint = null
        edit.accessibilityDelegate = Named(label)
        return column(name, edit, remark?.let { small(it) }, gap = 6)
    }

    /** A switch with its words; the whole row is the control. */
    fun switch(label: String, remark: String?, on: Boolean, enabled: Boolean = true, changed: (Boolean) -> Unit): View {
        val control = Switch(context).apply {
            isChecked = on
            isEnabled = enabled
            isSaveEnabled = false
            text = if (remark == null) label else context.resources.let { "$label\n$remark" }
            setTextSize(TypedValue.COMPLEX_UNIT_SP, Type.BODY)
            setTextColor(color(if (enabled) R.color.text else R.color.text_quiet))
            minHeight = dp(TARGET)
            minimumHeight = dp(TARGET)
            switchPadding = dp(Space.MIDDLE)
            filterTouchesWhenObscured = true
            val states = arrayOf(intArrayOf(android.R.attr.state_checked), intArrayOf())
            thumbTintList = ColorStateList(states, intArrayOf(color(R.color.accent), color(R.color.text_quiet)))
            trackTintList = ColorStateList(states, intArrayOf(color(R.color.accent), color(R.color.text_quiet)))
            setOnCheckedChangeListener { _, now -> changed(now) }
        }
        return control
    }

    /** One of several, of which one is chosen. */
    fun choice(label: String, chosen: Boolean, action: () -> Unit): RadioButton = RadioButton(context).apply {
        text = label
        isChecked = chosen
        isSaveEnabled = false
        setTextSize(TypedValue.COMPLEX_UNIT_SP, Type.BODY)
        setTextColor(color(R.color.text))
        buttonTintList = ColorStateList.valueOf(color(R.color.accent))
        minHeight = dp(TARGET)
        minimumHeight = dp(TARGET)
        setPadding(dp(Space.SMALL), 0, 0, 0)
        setOnClickListener { action() }
    }

    private fun pressable(ground: Drawable): Drawable = RippleDrawable(ColorStateList.valueOf(color(R.color.ripple)), ground, InsetDrawable(rounded(-1, radius = 12), 0))

    /** What may be typed into a line. */
    enum class Field(val inputType: Int, val secret: Boolean) {
        PASSCODE(InputType.TYPE_CLASS_NUMBER or InputType.TYPE_NUMBER_VARIATION_PASSWORD, true),
        DIGITS(InputType.TYPE_CLASS_NUMBER, false),
        LINE(InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS, false),
        CODE(InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS or InputType.TYPE_TEXT_VARIATION_VISIBLE_PASSWORD, false),
    }

    companion object {
        /** Smallest control in dp (Android's accessibility guide asks for 48). */
        const val TARGET = 48
        private const val MOST_LINES = 6
        private const val match = ViewGroup.LayoutParams.MATCH_PARENT
        private const val wrap = ViewGroup.LayoutParams.WRAP_CONTENT
        private val MEDIUM = android.graphics.Typeface.create("sans-serif-medium", android.graphics.Typeface.NORMAL)
    }
}
