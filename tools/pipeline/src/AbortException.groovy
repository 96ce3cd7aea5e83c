package hudson

/** Jenkins' own, which is not on Maven Central. */
class AbortException extends IOException {
    AbortException(String message) { super(message) }
}
