package jenkins.model

/** Jenkins' own, which is not on Maven Central: the jobs that the platform defines, by full name. */
class Jenkins {
    static final Map<String, String> DESCRIPTIONS = [:]

    static Jenkins get() { new Jenkins() }

    Map getItemByFullName(String name) { DESCRIPTIONS.containsKey(name) ? [description: DESCRIPTIONS[name]] : null }
}
