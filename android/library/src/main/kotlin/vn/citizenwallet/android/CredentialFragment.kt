@file:Suppress("DEPRECATION") // The framework's own fragments: the app needs no androidx, and Android 8 to 9 know nothing newer.

package vn.citizenwallet.android

import android.app.Activity
import android.app.Fragment
import android.content.Intent
import android.os.Bundle
import vn.citizenwallet.core.PortFault

/** Asks for the screen lock by the system's own screen, and hears what comes of it; outlives the turning of its activity. */
class CredentialFragment : Fragment() {
    private var asked: Prompt.Asked? = null
    private var question: Intent? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        retainInstance = true
        val intent = question
        if (intent == null || asked?.isOver != false) {
            // The system made it again after the process had ended, or the question was taken back: nobody waits any more.
            leave()
        } else {
            question = null
            asked?.cancellation?.setOnCancelListener {
                if (isAdded) activity?.finishActivity(REQUEST)
                leave()
            }
            startActivityForResult(intent, REQUEST)
        }
    }

    override fun onActivityResult(requestCode: Int, resultCode: Int, data: Intent?) {
        if (requestCode != REQUEST) return
        asked?.end(if (resultCode == Activity.RESULT_OK) null else PortFault.Cancelled())
        leave()
    }

    override fun onDestroy() {
        asked?.end(PortFault.Cancelled())
        super.onDestroy()
    }

    private fun leave() {
        fragmentManager?.beginTransaction()?.remove(this)?.commitAllowingStateLoss()
    }

    internal companion object {
        private const val REQUEST = 0x0c17

        /** [question] is null on a phone without a secure screen lock. */
        fun show(asked: Prompt.Asked, question: Intent?) {
            if (question == null) return asked.end(PortFault.NoSecureLock())
            val fragment = CredentialFragment()
            fragment.asked = asked
            fragment.question = question
            asked.activity.fragmentManager.beginTransaction().add(fragment, null).commitAllowingStateLoss()
        }
    }
}
