/** A Job DSL that records every call with its arguments and the calls inside its closure. */
abstract class JobDsl extends Script {
    /** [name, arguments, calls]; a `configure` has the changed document, too. */
    List<Map> calls = []
    private List<Map> open = []

    /** Run what Configuration as Code runs: documents, which become a variable, and the files that read them. */
    static List<Map> load(Map script, ClassLoader loader) {
        def configuration = new org.codehaus.groovy.control.CompilerConfiguration(scriptBaseClass: JobDsl.name)
        Map variables = [:]
        return script.jobs.collectMany { source ->
            if (source.providedEnv) {
                variables.putAll(source.providedEnv)
                return []
            }
            def file = new GroovyShell(loader, new Binding(new HashMap(variables)), configuration).parse(source.script)
            file.run()
            return file.calls
        }
    }

    /** The first argument of the only call of this name inside a call, or null without one. */
    static Object inside(Map call, String name) {
        List matches = all(call).findAll { it.name == name }
        assert matches.size() < 2: "${name} is called ${matches.size()} times"
        return matches ? matches[0].arguments[0] : null
    }

    static List<Map> all(Map call) { call.calls.collectMany { [it] + all(it) } }

    def methodMissing(String name, Object given) {
        Closure body = given && given[-1] instanceof Closure ? given[-1] : null
        Map call = [name: name, arguments: (given as List).findAll { !(it instanceof Closure) }, calls: []]
        (open ? open[-1].calls : calls) << call
        if (name == 'configure') {
            call.document = new Node(null, 'root')
            use(Division) { body(call.document) }
        } else if (body) {
            open << call
            body.delegate = this
            body.resolveStrategy = Closure.DELEGATE_FIRST
            body()
            open.remove(open.size() - 1)
        }
    }

    /** `node / 'name'` is the child of this name, which is created if it is missing. */
    static class Division {
        static Node div(Node node, String name) { node[name] ? node[name][0] : node.appendNode(name) }
    }
}
