package vn.citizenwallet.android

import android.app.Activity
import android.app.Application
import android.os.Bundle
import java.lang.ref.WeakReference
import java.util.Collections
import java.util.WeakHashMap
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** Which of the app's activities are there: the first one started and the last one stopped are told, the resumed one can be had, the end of one is told. */
class Windows(application: Application) : Application.ActivityLifecycleCallbacks {
    /** Who hears of it, on the main thread. */
    interface Watcher {
        /** The first activity became visible. */
        fun onForeground() = Unit

        /** No activity is visible any more (also for a moment while one is turned). */
        fun onBackground() = Unit

        /** An activity is gone for good: not for being turned. */
        fun onGone(activity: Activity) = Unit
    }

    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private var resumed: WeakReference<Activity>? = null
    private val started = Collections.newSetFromMap(WeakHashMap<Activity, Boolean>())
    private val watchers = CopyOnWriteArrayList<Watcher>()

    init {
        application.registerActivityLifecycleCallbacks(this)
    }

    /** [watcher] hears of what comes. */
    fun watch(watcher: Watcher) {
        watchers.add(watcher)
    }

    /** The resumed activity, waited for at most [millis] (one that is being turned is back soon); null when there is none. */
    fun resumed(millis: Long): Activity? = lock.withLock {
        var left = TimeUnit.MILLISECONDS.toNanos(millis)
        var activity = resumed?.get()
        while (activity == null && left > 0) {
            left = changed.awaitNanos(left)
            activity = resumed?.get()
        }
        activity
    }

    override fun onActivityStarted(activity: Activity) {
        val first = started.isEmpty()
        if (started.add(activity) && first) watchers.forEach { it.onForeground() }
    }

    override fun onActivityResumed(activity: Activity) = lock.withLock {
        resumed = WeakReference(activity)
        changed.signalAll()
    }

    override fun onActivityPaused(activity: Activity) = lock.withLock {
        if (resumed?.get() === activity) resumed = null
    }

    override fun onActivityStopped(activity: Activity) {
        started.remove(activity)
        if (started.isEmpty()) watchers.forEach { it.onBackground() }
    }

    override fun onActivityDestroyed(activity: Activity) {
        if (!activity.isChangingConfigurations) watchers.forEach { it.onGone(activity) }
    }

    override fun onActivityCreated(activity: Activity, savedInstanceState: Bundle?) = Unit

    override fun onActivitySaveInstanceState(activity: Activity, outState: Bundle) = Unit
}
