import com.lesfurets.jenkins.unit.cps.BasePipelineTestCPS
import com.lesfurets.jenkins.unit.global.lib.SourceRetriever
import org.junit.Before
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

import com.lesfurets.jenkins.unit.global.lib.LibraryConfiguration

/** A Jenkins whose steps record their calls, and fail if a test wants that. */
abstract class Jenkins extends BasePipelineTestCPS {
    static final String DIGEST = 'sha256:' + 'a' * 64
    static final long NOW = 1764100000
    static final String TEST_DIGEST = 'sha256:' + 'b' * 64
    static final String CHART_DIGEST = 'sha256:' + 'c' * 64

    File library = new File(System.getProperty('delivery'))
    /** Events in their order: stages, pods, commands by container. */
    List<String> events = []
    /** Messages of Slack: [channel, color, message]. */
    List<Map> messages = []
    /** Files of the repository. */
    Map<String, String> files = [
        'Dockerfile': 'FROM python AS runtime\nFROM runtime AS test\n',
        'Makefile': 'build:\n\ttrue\ntest: build\n\ttrue\n',
        'chart/Chart.yaml': 'name: orders\nversion: 1.4.0\n',
        'chart/values.yaml': 'replicas: 2\n',
    ]
    /** Answers of commands, by a part of the command; a Throwable is thrown. */
    Map<String, Object> answers = [:]
    Map<String, Object> written = [:]
    List<Map> pods = []
    List<Map> started = []
    /** Resources that another build has locked. */
    List<String> locked = []
    String container = ''
    /** The question of the last approval. */
    String asked = ''
    String digest = DIGEST
    List<Map> commands = []

    @Override
    @Before
    void setUp() throws Exception {
        baseScriptRoot = ''
        scriptRoots = [new File('src/test/jenkins').absolutePath, ''] as String[]
        super.setUp()
        helper.registerSharedLibrary(LibraryConfiguration.library().name('platform')
            .retriever({ String repository, String branch, String target -> [library.toURI().toURL()] } as SourceRetriever)
            .targetPath(library.absolutePath).defaultVersion('v1').allowOverride(false).implicit(false).build())
        binding.setVariable('env', [
            JOB_NAME: 'services/orders/main', BRANCH_NAME: 'main', BUILD_NUMBER: '17', BUILD_URL: 'https://jenkins/17/', WORKSPACE: '/w',
            CANDIDATES: 'r/candidates', SERVICES: 'r/services', CHARTS: 'r/charts', CACHE: 'r/cache',
            DOCKER_HUB: 'r/docker-hub', REGISTRY_HOST: 'r', SLACK_CHANNEL: '#builds', GITHUB_CREDENTIAL: 'github-app', REPORTS_CREDENTIAL: 'github-reports',
        ])
        binding.setVariable('params', [:])
        binding.setVariable('scm', 'scm')
        binding.setVariable('POD_LABEL', 'pod')
        binding.setVariable('currentBuild', new RunningBuild(startTimeInMillis: NOW * 1000))
        jenkins.model.Jenkins.DESCRIPTIONS.clear()
        jenkins.model.Jenkins.PULLS.clear()
        jenkins.model.Jenkins.COMMITS.clear()
        jenkins.model.Jenkins.PULLS.addAll(['services/orders/PR-7', 'services/orders/PR-8', 'services/stock/PR-7', 'services/orders-2/PR-7'])
        jenkins.model.Jenkins.DESCRIPTIONS['platform/orders/promote'] = 'services/orders/main'
        steps()
    }

    Map getEnv() { binding.getVariable('env') }

    RunningBuild getBuild() { binding.getVariable('currentBuild') }

    String getResult() { build.result }

    private void steps() {
        def step = { String name, List types, Closure action -> helper.registerAllowedMethod(name, types, action) }
        ['properties', 'buildDiscarder', 'logRotator', 'disableConcurrentBuilds', 'string', 'kubernetesAgent',
         'nonresumable', 'milestone', 'checkout', 'usernamePassword'].each { name ->
            step(name, [Object], { it instanceof Map ? it : [(name): it] })
            step(name, [Map], { Map arguments -> events << name; arguments })
            step(name, [List], { List items -> items })
            step(name, [], { events << name; [:] })
        }
        step('merge', [], { 'merge' })
        step('junit', [Map], { Map arguments -> events << "junit ${arguments.testResults}".toString() })
        step('echo', [String], { String text -> events << "echo ${text}".toString() })
        step('checkout', [Object], { events << 'checkout'; [GIT_COMMIT: '1a2b3c4d5e6f'] })
        step('pwd', [Map], { Map arguments -> arguments.tmp ? '/w@tmp' : '/w' })
        step('dir', [String, Closure], { String path, Closure body -> events << "dir ${path}".toString(); helper.callClosure(body) })
        step('git', [Map], { Map arguments -> events << "git ${arguments.branch}".toString() })
        ['archiveArtifacts', 'stash'].each { name -> step(name, [Map], { Map arguments -> events << name }) }
        step('unstash', [String], { String name -> events << 'unstash' })
        step('catchError', [Map, Closure], { Map arguments, Closure body ->
            try { helper.callClosure(body) } catch (hudson.AbortException failure) { events << "caught ${failure.message}".toString() }
        })
        step('withEnv', [List, Closure], { List items, Closure body -> events << "with ${items.join(' ')}".toString(); helper.callClosure(body) })
        step('withCredentials', [List, Closure], { List items, Closure body ->
            events << "credentials ${items*.credentialsId.join(' ')}".toString()
            helper.callClosure(body)
            events << 'credentials end'
        })
        step('parallel', [Map], { Map branches ->
            branches.each { name, body -> if (body instanceof Closure) { events << "branch ${name}".toString(); helper.callClosure(body) } }
        })
        step('writeFile', [Map], { Map arguments -> written[arguments.file] = arguments.text })
        step('libraryResource', [String], { String path -> new File(library, "resources/${path}").text })
        step('error', [String], { String text -> throw new hudson.AbortException(text) })
        step('stage', [String, Closure], { String name, Closure body -> events << "stage ${name}".toString(); helper.callClosure(body) })
        step('timeout', [Map, Closure], { Map arguments, Closure body -> events << "timeout ${arguments.time} ${arguments.unit}".toString(); helper.callClosure(body) })
        step('retry', [Map, Closure], { Map arguments, Closure body -> helper.callClosure(body) })
        step('lock', [String, Closure], { String name, Closure body -> events << "lock ${name}".toString(); helper.callClosure(body) })
        step('lock', [Map, Closure], { Map arguments, Closure body ->
            ([arguments] + (arguments.extra ?: [])).each { events << "lock ${it.resource}".toString() }
            if (!(arguments.skipIfLocked && locked.contains(arguments.resource.toString()))) { helper.callClosure(body) }
        })
        step('node', [String, Closure], { String label, Closure body -> events << 'node'; helper.callClosure(body); events << 'node ends' })
        step('podTemplate', [Map, Closure], { Map arguments, Closure body ->
            pods << arguments
            events << "pod ${arguments.inheritFrom}".toString()
            helper.callClosure(body)
            events << "pod ${arguments.inheritFrom} ends".toString()
        })
        step('container', [String, Closure], { String name, Closure body ->
            String before = container
            container = name
            try { helper.callClosure(body) } finally { container = before }
        })
        step('sh', [String], { String command -> ran(command); 0 })
        step('sh', [Map], { Map arguments -> ran(arguments.script) ?: (arguments.returnStatus ? 0 : '') })
        step('fileExists', [String], { String path -> files.containsKey(path.replaceFirst('^\\./', '')) })
        step('readFile', [String], { String path -> files[path.replaceFirst('^\\./', '')] })
        step('readYaml', [Map], { Map arguments -> new org.yaml.snakeyaml.Yaml().load(arguments.text ?: files[arguments.file.replaceFirst('^\\./', '')]) })
        step('writeYaml', [Map], { Map arguments -> written[arguments.file.replaceFirst('^\\./', '')] = arguments.data })
        step('writeJSON', [Map], { Map arguments -> written[arguments.file] = arguments.json })
        step('readJSON', [Map], { Map arguments -> arguments.text ? new groovy.json.JsonSlurperClassic().parseText(arguments.text) : ['containerimage.digest': arguments.file.contains('test') ? TEST_DIGEST : digest] })
        step('build', [Map], { Map arguments -> started << arguments; events << "start ${arguments.job}".toString(); answer(arguments.job) ?: [result: 'SUCCESS'] })
        step('input', [Map], { Map arguments -> asked = arguments.message; events << "input ${arguments.submitter}".toString(); answer('input') })
        step('slackSend', [Map], { Map arguments ->
            messages << arguments
            answer('slackSend')
            [threadId: arguments.channel.contains(':') ? arguments.channel : 'C0123456:1700000000.000100']
        })
    }

    Object ran(String command) {
        commands << [container: container, script: command]
        events << "${container}: ${command.readLines().collect { it.trim() }.join(' ')}".toString()
        return answer(command)
    }

    Object answer(String what) {
        Object value = answers.find { what.contains(it.key) }?.value
        if (value instanceof Throwable) {
            throw value
        }
        return value
    }

    /** Run a Jenkinsfile of src/test/jenkins to its end, or to its failure. */
    Throwable play(String jenkinsfile) {
        try {
            runScript(jenkinsfile)
            return null
        } catch (Throwable failure) {
            Throwable cause = failure
            while (cause instanceof java.lang.reflect.InvocationTargetException || cause.class.simpleName == 'CpsCallableInvocation') {
                cause = cause.cause
            }
            return cause
        }
    }

    List<String> stages() { events.findAll { it.startsWith('stage ') }.collect { it.substring(6) } }

    boolean has(String part) { events.any { it.contains(part) } }

    int at(String part, int from = 0) {
        int index = events.findIndexOf(from) { it.contains(part) }
        assert index >= 0: "no event contains ${part}: ${events.join('\n')}"
        return index
    }

    static Throwable interrupted() { new FlowInterruptedException() }
}
