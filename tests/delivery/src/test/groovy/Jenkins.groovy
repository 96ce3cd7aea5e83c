import com.lesfurets.jenkins.unit.cps.BasePipelineTestCPS
import com.lesfurets.jenkins.unit.global.lib.SourceRetriever
import org.junit.Before
import org.jenkinsci.plugins.workflow.steps.FlowInterruptedException

import com.lesfurets.jenkins.unit.global.lib.LibraryConfiguration

/** A Jenkins whose steps note that they were called, and fail where a test says so. */
abstract class Jenkins extends BasePipelineTestCPS {
    static final String DIGEST = 'sha256:' + 'a' * 64
    static final long NOW = 1764100000
    static final String TEST_DIGEST = 'sha256:' + 'b' * 64

    File library = new File(System.getProperty('delivery'))
    /** What happened, in order: stages, pods, commands by container. */
    List<String> done = []
    /** Messages of Slack: [channel, color, message]. */
    List<Map> said = []
    /** Files of the repository. */
    Map<String, String> files = [
        'Dockerfile': 'FROM python AS runtime\nFROM runtime AS test\n',
        'Makefile': 'build:\n\ttrue\ntest: build\n\ttrue\n',
        'chart/Chart.yaml': 'name: orders\nversion: 1.4.0\n',
        'chart/values.yaml': 'replicas: 2\n',
    ]
    /** Answers of commands by a part of them; a Throwable is thrown. */
    Map<String, Object> answers = [:]
    Map<String, Object> written = [:]
    List<Map> pods = []
    List<Map> started = []
    /** Resources that somebody else has locked. */
    List<String> locked = []
    String container = ''
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
            BRANCH_NAME: 'main', BUILD_NUMBER: '17', BUILD_URL: 'https://jenkins/17/', WORKSPACE: '/w',
            CANDIDATES: 'r/candidates', SERVICES: 'r/services', CHARTS: 'r/charts', CACHE: 'r/cache',
            DOCKER_HUB: 'r/docker-hub', REGISTRY_HOST: 'r', SLACK_CHANNEL: '#builds', GITHUB_CREDENTIAL: 'github-app',
        ])
        binding.setVariable('params', [:])
        binding.setVariable('scm', 'scm')
        binding.setVariable('POD_LABEL', 'pod')
        binding.setVariable('currentBuild', [result: null, upstreamBuilds: [], description: null, startTimeInMillis: NOW * 1000])
        steps()
    }

    Map getEnv() { binding.getVariable('env') }

    String getResult() { binding.getVariable('currentBuild').result }

    private void steps() {
        def step = { String name, List types, Closure action -> helper.registerAllowedMethod(name, types, action) }
        ['properties', 'buildDiscarder', 'logRotator', 'disableConcurrentBuilds', 'string', 'kubernetesAgent',
         'nonresumable', 'milestone', 'checkout', 'usernamePassword'].each { name ->
            step(name, [Object], { it instanceof Map ? it : [(name): it] })
            step(name, [Map], { Map given -> done << name; given })
            step(name, [List], { List given -> given })
            step(name, [], { done << name; [:] })
        }
        step('merge', [], { 'merge' })
        step('junit', [Map], { Map given -> done << "junit ${given.testResults}".toString() })
        step('echo', [String], { String text -> done << "echo ${text}".toString() })
        step('checkout', [Object], { done << 'checkout'; [GIT_COMMIT: '1a2b3c4d5e6f'] })
        step('git', [Map], { Map given -> done << "git ${given.branch}".toString() })
        ['archiveArtifacts', 'stash'].each { name -> step(name, [Map], { Map given -> done << name }) }
        step('unstash', [String], { String name -> done << 'unstash' })
        step('catchError', [Map, Closure], { Map given, Closure body ->
            try { helper.callClosure(body) } catch (hudson.AbortException failure) { done << "caught ${failure.message}".toString() }
        })
        step('withEnv', [List, Closure], { List given, Closure body -> done << "with ${given.join(' ')}".toString(); helper.callClosure(body) })
        step('withCredentials', [List, Closure], { List given, Closure body ->
            done << "credentials ${given*.credentialsId.join(' ')}".toString()
            helper.callClosure(body)
            done << 'credentials end'
        })
        step('parallel', [Map], { Map branches ->
            branches.each { name, body -> if (body instanceof Closure) { done << "branch ${name}".toString(); helper.callClosure(body) } }
        })
        step('writeFile', [Map], { Map given -> written[given.file] = given.text })
        step('libraryResource', [String], { String path -> new File(library, "resources/${path}").text })
        step('error', [String], { String text -> throw new hudson.AbortException(text) })
        step('stage', [String, Closure], { String name, Closure body -> done << "stage ${name}".toString(); helper.callClosure(body) })
        step('timeout', [Map, Closure], { Map given, Closure body -> done << "timeout ${given.time} ${given.unit}".toString(); helper.callClosure(body) })
        step('retry', [Map, Closure], { Map given, Closure body -> helper.callClosure(body) })
        step('lock', [String, Closure], { String name, Closure body -> done << "lock ${name}".toString(); helper.callClosure(body) })
        step('lock', [Map, Closure], { Map given, Closure body ->
            done << "lock ${given.resource}".toString()
            if (!(given.skipIfLocked && locked.contains(given.resource.toString()))) { helper.callClosure(body) }
        })
        step('node', [String, Closure], { String label, Closure body -> done << 'node'; helper.callClosure(body); done << 'node ends' })
        step('podTemplate', [Map, Closure], { Map given, Closure body ->
            pods << given
            done << "pod ${given.inheritFrom}".toString()
            helper.callClosure(body)
            done << "pod ${given.inheritFrom} ends".toString()
        })
        step('container', [String, Closure], { String name, Closure body ->
            String before = container
            container = name
            try { helper.callClosure(body) } finally { container = before }
        })
        step('sh', [String], { String command -> ran(command); 0 })
        step('sh', [Map], { Map given -> ran(given.script) ?: (given.returnStatus ? 0 : '') })
        step('fileExists', [String], { String path -> files.containsKey(path.replaceFirst('^\\./', '')) })
        step('readFile', [String], { String path -> files[path.replaceFirst('^\\./', '')] })
        step('readYaml', [Map], { Map given -> new org.yaml.snakeyaml.Yaml().load(files[given.file.replaceFirst('^\\./', '')]) })
        step('writeYaml', [Map], { Map given -> written[given.file.replaceFirst('^\\./', '')] = given.data })
        step('readJSON', [Map], { Map given -> given.text ? new groovy.json.JsonSlurperClassic().parseText(given.text) : ['containerimage.digest': given.file.contains('test') ? TEST_DIGEST : digest] })
        step('build', [Map], { Map given -> started << given; done << "start ${given.job}".toString(); answer(given.job) ?: [result: 'SUCCESS'] })
        step('input', [Map], { Map given -> done << "input ${given.submitter}".toString(); answer('input') })
        step('slackSend', [Map], { Map given ->
            said << given
            answer('slackSend')
            [threadId: given.channel.contains(':') ? given.channel : 'C0123456:1700000000.000100']
        })
    }

    Object ran(String command) {
        commands << [container: container, script: command]
        done << "${container}: ${command.readLines().collect { it.trim() }.join(' ')}".toString()
        return answer(command)
    }

    Object answer(String what) {
        def found = answers.find { what.contains(it.key) }
        if (found?.value instanceof Throwable) {
            throw found.value
        }
        return found?.value
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

    List<String> stages() { done.findAll { it.startsWith('stage ') }.collect { it.substring(6) } }

    boolean has(String part) { done.any { it.contains(part) } }

    int at(String part) {
        int found = done.findIndexOf { it.contains(part) }
        assert found >= 0: "nothing did ${part}: ${done.join('\n')}"
        return found
    }

    static Throwable interrupted() { new FlowInterruptedException() }
}
