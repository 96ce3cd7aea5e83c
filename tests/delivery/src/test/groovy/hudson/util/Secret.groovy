package hudson.util

/** Jenkins' own, which is not on Maven Central: a text that Jenkins encrypts when it stores it. */
class Secret {
    final String plainText

    private Secret(String plainText) { this.plainText = plainText }

    static Secret fromString(String text) { new Secret(text) }
}
