import org.junit.Before
import org.junit.Test

/** A release whose commands of crane and Helm run for real, in a repository, against a registry on loopback. */
class CommandsTest extends Jenkins {
    private static final String REGISTRY = System.getProperty('registry')
    private static final String VERSION = '1.4.0-17.g1a2b3c4d'
    private final File repository = new File(System.getProperty('repository'))

    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        env.CANDIDATES = "${REGISTRY}/p/candidates".toString()
        env.SERVICES = "${REGISTRY}/p/services".toString()
        env.CHARTS = "${REGISTRY}/p/charts".toString()
        env.RELEASE_ENVIRONMENTS = 'staging'
        digest = System.getProperty('digest')
        answers['git rev-parse'] = '1a2b3c4d'
        ['Dockerfile', 'Makefile', 'chart/Chart.yaml', 'chart/values.yaml'].each { files[it] = new File(repository, it).text }
        files['chart/Chart.yaml'] = files['chart/Chart.yaml'].replaceFirst(/(?m)^version: .*$/, 'version: 1.4.0')
        helper.registerAllowedMethod('writeYaml', [Map], { Map given ->
            new File(repository, given.file).text = new org.yaml.snakeyaml.Yaml().dump(given.data)
        })
    }

    @Override
    Object ran(String command) {
        Object answer = super.ran(command)
        if (!(command =~ /(?m)^\s*(crane|helm) /)) {
            return answer
        }
        List variables = ["PATH=${System.getProperty('programs')}:/usr/bin:/bin", "HOME=${repository}", "DOCKER_CONFIG=${repository}"]
        Process process = ['sh', '-e', '-c', command].execute(variables*.toString(), repository)
        StringBuffer output = new StringBuffer()
        StringBuffer problems = new StringBuffer()
        process.waitForProcessOutput(output, problems)
        if (process.exitValue() != 0) {
            throw new hudson.AbortException("${command}: ${problems}")
        }
        return output.toString()
    }

    /** The candidates of a build, and the parameters with which it requests their release. */
    private Map candidates() {
        env.JOB_NAME = 'services/orders/main'
        binding.setVariable('params', [:])
        started.clear()
        assert play('service.Jenkinsfile') == null
        return started[0].parameters.collectEntries { [it.name, it.value] }
    }

    private Throwable released(Map parameters) {
        binding.setVariable('params', parameters)
        build.startedBy('services/orders/main')
        return play('promote.Jenkinsfile')
    }

    @Test
    void a_release_is_the_candidate_by_its_digest_and_is_never_moved() {
        Map parameters = candidates()
        assert parameters.VERSION == VERSION && parameters.IMAGE == digest
        assert released(parameters) == null
        assert released(parameters) == null: 'a repeated run succeeds'
        assert ran("crane digest '${env.CHARTS}/orders:${VERSION}'".toString()).trim() == parameters.CHART
        String first = parameters.CHART
        sleep(1100)  // the archive of a chart contains the time in seconds
        parameters = candidates()
        assert parameters.CHART != first
        assert released(parameters).message == "${env.CHARTS}/orders:${VERSION} already exists with other content; versions are never moved".toString()
        parameters.VERSION = '1.5.0-17.g1a2b3c4d'
        assert released(parameters).message == "the chart is orders ${VERSION}; it must be orders 1.5.0-17.g1a2b3c4d".toString()
        parameters.IMAGE = TEST_DIGEST
        parameters.VERSION = VERSION
        assert released(parameters).message.contains("the chart's values must have the image")
    }
}
