import org.junit.Test

/** The jobs that the platform defines, run as Job DSL would, and then played. */
class JobsTest extends Jenkins {
    private Map<String, Map> defined() {
        String text = new File(System.getProperty('jobs')).text
        def script = new GroovyShell(this.class.classLoader, new Binding(), new org.codehaus.groovy.control.CompilerConfiguration(
            scriptBaseClass: JobDsl.name)).parse(text)
        script.run()
        return script.jobs
    }

    @Test
    void every_job_is_in_a_folder_of_the_platform_and_sandboxed() {
        Map<String, Map> jobs = defined()
        List<String> names = jobs.findAll { !it.value.folder && it.key.startsWith('platform/') }*.key
        assert names.toSet() == ['platform/orders/staging', 'platform/orders/production', 'platform/orders/preview', 'platform/preview-janitor'].toSet()
        assert names.every { jobs[it].sandbox }
        assert jobs['platform/orders/staging'].parameters == ['VERSION', 'THREAD']
        assert jobs['platform/orders/preview'].parameters == ['VERSION', 'THREAD', 'PULL']
        assert names.every { jobs[it.substring(0, it.lastIndexOf('/'))].folder }
    }

    private Throwable played(String job) {
        File script = File.createTempFile('job', '.groovy')
        script.deleteOnExit()
        script.text = defined()[job].script
        return play(script.absolutePath)
    }

    @Test
    void a_preview_uses_the_environment_with_preview_namespaces_and_the_stores_of_the_service() {
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d', PULL: '7'])
        answers['helm get values lease'] = '{"namespace": "preview-1", "releases": "", "lease": null}'
        assert played('platform/orders/preview') == null
        assert has("describe 'atwork-staging' --project 'acme-at-work-staging'")
        assert has('for number in $(seq 4)')
        Map stores = new groovy.json.JsonSlurperClassic().parseText(written['stores.json']).stores
        assert stores.keySet() == ['postgres', 'redis'].toSet()
        assert stores.postgres.image.startsWith('europe-docker.pkg.dev/acme-at-work-ci/docker-hub/library/postgres:')
    }

    @Test
    void the_janitor_knows_the_repositories() {
        answers['helm get values lease'] = '{"namespace": "preview-1", "releases": "lease", "lease": {"service": "orders", "pull": "7", "expires": "' + (NOW + 60) + '"}}'
        assert played('platform/preview-janitor') == null
        assert has('https://api.github.com/repos/acme/orders/pulls/7')
    }

    @Test
    void a_job_deploys_the_service_and_environment_of_its_name() {
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d'])
        File script = File.createTempFile('job', '.groovy')
        script.deleteOnExit()
        script.text = defined()['platform/orders/production'].script
        assert play(script.absolutePath) == null
        assert has('lock deploy-production-orders')
        assert pods*.cloud == ['deploy-production']
        assert has("describe 'atwork-production' --project 'acme-at-work-production' --location 'europe-west1'")
        assert has("--set-string host='orders.example.com'")
        assert has('input ada@example.com,grace@example.com')
        assert messages[0].channel == '#team-orders'
    }
}
