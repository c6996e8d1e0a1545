package vn.citizenwallet.testing

import java.io.File

/** What the kernel says of this process. */
object Process {
    /** Resident memory in KiB. */
    val residentKib: Long
        get() = File("/proc/self/status").readLines().first { it.startsWith("VmRSS:") }.filter { it.isDigit() }.toLong()

    /** Threads. */
    val threads: Int get() = File("/proc/self/task").list()!!.size

    /** Open files and sockets. */
    val handles: Int get() = File("/proc/self/fd").list()!!.size

    /** Threads of a name (the kernel keeps 15 characters of it). */
    fun threadsNamed(name: String): Int = File("/proc/self/task").listFiles()!!.count { task ->
        try {
            File(task, "comm").readText().trim() == name.take(15)
        } catch (_: java.io.IOException) {
            false // It ended meanwhile.
        }
    }
}
