package vn.citizenwallet.app.ui

import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.Button
import android.widget.EditText

/**
 * What a person typed into a line, kept by its screen through a rotation and nowhere else: not in saved state, not in a bundle.
 * [wipe] overwrites it.
 */
class Typed {
    private var characters = CharArray(0)
    private val views = java.util.WeakHashMap<EditText, Unit>()

    /** How many characters were typed. */
    val size: Int get() = characters.size

    /** The text, for what is no secret. */
    fun text(): String = String(characters).trim()

    /** The text as ASCII bytes, for a passcode; the caller wipes them. */
    fun bytes(): ByteArray = ByteArray(characters.size) { characters[it].code.toByte() }

    /** Whether two lines hold the same. */
    fun same(other: Typed): Boolean = characters.contentEquals(other.characters)

    /** Forgets what was typed, here and in every view of it. */
    fun wipe() {
        characters.fill('\u0000')
        characters = CharArray(0)
        views.keys.toList().forEach { it.text.clear() }
    }

    /** Shows what was typed in a new view, and follows that view from now on. */
    internal fun bind(edit: EditText) {
        views[edit] = Unit
        if (characters.isNotEmpty()) {
            edit.text.append(java.nio.CharBuffer.wrap(characters))
            edit.setSelection(characters.size)
        }
        edit.addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit
            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit
            override fun afterTextChanged(text: Editable) {
                characters.fill('\u0000')
                characters = CharArray(text.length) { text[it] }
            }
        })
    }
}

/** Tells screen readers that a block is a button. */
internal object AsButton : View.AccessibilityDelegate() {
    override fun onInitializeAccessibilityNodeInfo(host: View, info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(host, info)
        info.className = Button::class.java.name
    }
}

/** Gives a line to write in its label. */
internal class Named(val label: String) : View.AccessibilityDelegate() {
    override fun onInitializeAccessibilityNodeInfo(host: View, info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(host, info)
        info.hintText = label
    }
}
