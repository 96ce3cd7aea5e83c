import org.junit.Test

/** Plays a release and keeps its commands, so that they can be run for real against a registry. */
class CommandsTest extends Jenkins {
    @Test
    void the_commands_of_a_release() {
        String registry = System.getProperty('registry')
        env.CANDIDATES = "${registry}/p/candidates".toString()
        env.SERVICES = "${registry}/p/services".toString()
        env.CHARTS = "${registry}/p/charts".toString()
        digest = System.getProperty('digest')
        answers['git rev-parse'] = '1a2b3c4d'
        assert play('service.Jenkinsfile') == null
        File kept = new File(System.getProperty('commands'))
        kept.text = commands.findAll { it.container in ['crane', 'helm'] && !it.script.contains('helm lint') }*.script.join('\n')
        new File(kept.parentFile, 'values.yaml').text = new org.yaml.snakeyaml.Yaml().dump(written['chart/values.yaml'])
    }
}
