/** Files of a repository that contain a YAML mapping. */

/** The mapping in a file, empty for an empty file; anything else is an error of one line. */
Map read(String path) {
    def content = null
    try {
        content = readYaml(file: path)
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        throw interruption
    } catch (Exception failure) {
        error("${path}: is not YAML: ${oneLine(failure.message)}")
    }
    if (content != null && !(content instanceof Map)) {
        error("${path}: must contain keys with values, such as `name: orders`")
    }
    return content ?: [:]
}

@NonCPS
private String oneLine(String text) {
    return (text ?: '').readLines()*.trim().findAll().join(' ').take(200)
}
