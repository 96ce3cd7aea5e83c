package jenkins.model

/** Jenkins' own, which is not on Maven Central: the jobs that the platform defines, by full name. */
class Jenkins {
    static final Map<String, String> DESCRIPTIONS = [:]
    /** Full names of the jobs of pull requests. */
    static final Set<String> PULLS = []

    static Jenkins get() { new Jenkins() }

    Map getItemByFullName(String name) {
        DESCRIPTIONS.containsKey(name) || name in PULLS ? [description: DESCRIPTIONS[name], pull: name in PULLS] : null
    }
}
