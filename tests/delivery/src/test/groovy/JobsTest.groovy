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
        List<String> names = jobs.findAll { !it.value.folder }*.key
        assert names.containsAll(['platform/orders/staging', 'platform/orders/production'])
        assert names.every { jobs[it].sandbox && jobs[it].parameters == ['VERSION', 'THREAD'] }
        assert names.every { jobs[it.substring(0, it.lastIndexOf('/'))].folder }
    }

    @Test
    void a_job_deploys_what_it_is_called_after() {
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
        assert said[0].channel == '#team-orders'
    }
}
