/** A Job DSL that notes what it is asked for. */
abstract class JobDsl extends Script {
    Map<String, Map> jobs = [:]
    Map current = [:]

    def pipelineJob(String name, Closure body) {
        current = [parameters: []]
        jobs[name] = current
        within(body)
    }

    def folder(String name) { jobs[name] = [folder: true] }

    def folder(String name, Closure body) { jobs[name] = [folder: true] }

    def stringParam(String name, String value, String description) { current.parameters << name }

    def script(String text) { current.script = text }

    def sandbox(boolean on) { current.sandbox = on }

    def methodMissing(String name, Object arguments) {
        if (arguments && arguments[-1] instanceof Closure) {
            within(arguments[-1])
        }
    }

    private void within(Closure body) {
        body.delegate = this
        body.resolveStrategy = Closure.DELEGATE_FIRST
        body()
    }
}
