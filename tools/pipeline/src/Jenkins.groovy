package jenkins.model

/** Jenkins' own, which is not on Maven Central: the jobs that the platform defines, by full name. */
class Jenkins {
    static final Map<String, String> DESCRIPTIONS = [:]
    /** Full names of the jobs of pull requests. */
    static final Set<String> PULLS = []

    /** Commits of builds, by JOB#NUMBER. */
    static final Map<String, String> COMMITS = [:]

    static Jenkins get() { new Jenkins() }

    Item getItemByFullName(String name) {
        boolean known = DESCRIPTIONS.containsKey(name) || name in PULLS || COMMITS.keySet().any { it.startsWith("${name}#") }
        known ? new Item(name: name, description: DESCRIPTIONS[name], pull: name in PULLS) : null
    }
}

/** A job. */
class Item {
    String name
    String description
    boolean pull

    Build getBuildByNumber(int number) {
        String key = "${name}#${number}"
        Jenkins.COMMITS.containsKey(key) ? new Build(commit: Jenkins.COMMITS[key]) : null
    }
}

/** A build. */
class Build {
    String commit

    List getActions(Class type) {
        commit ? [type.getDeclaredConstructor().newInstance().with { it.revision = [hash: commit]; it }] : []
    }
}
