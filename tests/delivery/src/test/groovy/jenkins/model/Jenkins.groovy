package jenkins.model

/** The part of Jenkins that the library asks: descriptions of jobs, by their full names. */
class Jenkins {
    static final Map<String, String> DESCRIPTIONS = [:]

    static Jenkins get() { new Jenkins() }

    Map getItemByFullName(String name) { DESCRIPTIONS.containsKey(name) ? [description: DESCRIPTIONS[name]] : null }
}
