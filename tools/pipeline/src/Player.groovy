import com.lesfurets.jenkins.unit.cps.BasePipelineTestCPS
import com.lesfurets.jenkins.unit.global.lib.LibraryConfiguration
import com.lesfurets.jenkins.unit.global.lib.SourceRetriever
import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

/**
 * Plays one pipeline under Jenkins' own transformation. The program at the other end of standard input and output carries
 * out its steps: each line that this one writes is a step, each line that it reads is the answer.
 *
 * Step: {"step": NAME, "arguments": [...], "begin": whether a body follows}; the end of a body: {"step": NAME, "end":
 * true, "failure": MESSAGE or null}. Answer: {"value": ...}, {"failure": MESSAGE, "interrupted": bool} or {"skip": true}.
 */
class Player extends BasePipelineTestCPS {
    static final List<String> WITH_BODY = [
        'stage', 'timeout', 'retry', 'lock', 'node', 'podTemplate', 'container', 'withEnv', 'withCredentials', 'catchError',
        'dir', 'timestamps', 'ansiColor',
    ]
    static final List<String> PLAIN = [
        'sh', 'echo', 'error', 'checkout', 'git', 'fileExists', 'readFile', 'writeFile', 'readYaml', 'writeYaml', 'readJSON',
        'writeJSON', 'junit', 'archiveArtifacts', 'stash', 'unstash', 'build', 'input', 'slackSend', 'milestone',
        'libraryResource', 'properties', 'sleep',
    ]
    /** Steps that only describe something to another step: their arguments are their value. */
    static final List<String> DESCRIPTIONS = [
        'buildDiscarder', 'logRotator', 'disableConcurrentBuilds', 'string', 'booleanParam', 'kubernetesAgent', 'nonresumable',
        'usernamePassword', 'merge', 'parameters', 'pipelineTriggers', 'cron',
    ]
    static PrintStream output
    static BufferedReader input

    static void main(String[] arguments) {
        output = System.out
        System.out = System.err
        input = new BufferedReader(new InputStreamReader(System.in, 'UTF-8'))
        Map run = read()
        Player player = new Player()
        Throwable failure = player.play(run)
        def build = player.binding.getVariable('currentBuild')
        write([
            finished: true, result: build.result?.toString(), description: build.description?.toString(),
            failure: failure ? (failure.message ?: failure.class.simpleName).toString() : null,
            kind: failure?.class?.name, interrupted: failure instanceof FlowInterruptedException,
        ])
        System.exit(0)
    }

    static synchronized Map read() {
        String line = input.readLine()
        if (line == null) {
            System.exit(1)  // nobody listens any more
        }
        return (Map) new JsonSlurperClassic().parseText(line)
    }

    static void write(Map message) {
        output.println(JsonOutput.toJson(message))
        output.flush()
    }

    static Object ask(String step, List arguments, Map more = [:]) {
        write([step: step, arguments: plain(arguments)] + more)
        Map answer = read()
        if (answer.failure != null) {
            throw answer.interrupted ? new FlowInterruptedException(answer.failure) : new hudson.AbortException(answer.failure)
        }
        return more.begin ? answer : answer.value
    }

    /** Values of Groovy as those of JSON. */
    static Object plain(Object value) {
        switch (value) {
            case Map: return value.collectEntries { key, item -> [(key.toString()): plain(item)] }
            case Collection: return value.collect { plain(it) }
            case null: case Number: case Boolean: return value
            default: return value.toString()
        }
    }

    Throwable play(Map run) {
        baseScriptRoot = ''
        scriptRoots = [''] as String[]
        setUp()
        File library = new File(run.library)
        helper.registerSharedLibrary(LibraryConfiguration.library().name('platform')
            .retriever({ String repository, String branch, String target -> [library.toURI().toURL()] } as SourceRetriever)
            .targetPath(library.absolutePath).defaultVersion('played').allowOverride(false).implicit(false).build())
        binding.setVariable('env', run.env)
        binding.setVariable('params', run.params)
        binding.setVariable('scm', 'scm')
        binding.setVariable('POD_LABEL', 'pod')
        binding.setVariable('currentBuild', new RunningBuild(run.currentBuild))
        jenkins.model.Jenkins.DESCRIPTIONS.putAll(run.jobs)
        jenkins.model.Jenkins.PULLS.addAll(run.pulls)
        jenkins.model.Jenkins.COMMITS.putAll(run.commits)
        steps()
        try {
            runScript(run.script)
            return null
        } catch (Throwable failure) {
            Throwable cause = failure
            while (cause.cause != null && (cause instanceof java.lang.reflect.InvocationTargetException ||
                cause.class.simpleName == 'CpsCallableInvocation' || cause instanceof groovy.lang.GroovyRuntimeException)) {
                cause = cause.cause
            }
            return cause
        }
    }

    private void steps() {
        PLAIN.each { name ->
            // The library has functions of the name `build`, too, whose arguments are others.
            List<List> signatures = name == 'build' ? [[Map]] : [[], [Object], [String], [Map], [List]]
            signatures.each { types ->
                helper.registerAllowedMethod(name, types) { Object[] arguments -> ask(name, arguments as List) }
            }
        }
        DESCRIPTIONS.each { name ->
            [[], [Object], [Map], [List]].each { types ->
                helper.registerAllowedMethod(name, types) { Object[] arguments ->
                    [described: name, by: arguments.length ? arguments[0] : null]
                }
            }
        }
        WITH_BODY.each { name ->
            helper.registerAllowedMethod(name, [Closure]) { Closure body -> around(name, [], body) }
            [Object, String, Map, List].each { type ->
                helper.registerAllowedMethod(name, [type, Closure]) { argument, Closure body -> around(name, [argument], body) }
            }
        }
        helper.registerAllowedMethod('parallel', [Map]) { Map branches ->
            branches.each { key, body -> if (body instanceof Closure) { around('branch', [key], body) } }
        }
    }

    private Object around(String name, List arguments, Closure body) {
        Map answer = (Map) ask(name, arguments, [begin: true])
        if (answer.skip) {
            return null
        }
        Object value = null
        Throwable failure = null
        try {
            value = helper.callClosure(body)
        } catch (Throwable problem) {
            failure = problem
        }
        Map end = [end: true, failure: failure == null ? null : (failure.message ?: failure.class.simpleName).toString()]
        Object handled = ask(name, [], end)
        if (failure != null && handled != 'handled') {
            throw failure
        }
        return value
    }
}
