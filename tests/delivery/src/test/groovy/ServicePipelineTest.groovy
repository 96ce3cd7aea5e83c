import org.junit.Before
import org.junit.Test

class ServicePipelineTest extends Jenkins {
    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        answers['git rev-parse'] = '1a2b3c4d'
        env.RELEASE_ENVIRONMENTS = 'staging,production'
        answers['helm push'] = "Pushed: r/candidates/charts/orders:1.4.0\nDigest: ${CHART_DIGEST}\n".toString()
    }

    private List<String> deploys() { started*.job.findAll { !it.endsWith('/promote') } }

    private void branch(String name) {
        env.BRANCH_NAME = name
        env.JOB_NAME = 'services/orders/' + name.replace('/', '%2F')
    }

    @Test
    void stages_follow_each_other_from_the_check_to_production() {
        assert play('service.Jenkinsfile') == null
        assert stages() == ['Preflight', 'Build', 'Test', 'Chart', 'Promote', 'Deploy staging', 'Deploy production']
        assert started*.job == ['/platform/orders/promote', '/platform/orders/staging', '/platform/orders/production']
        assert started*.wait == [true, true, false]
        assert started[0].parameters*.value == ['1.4.0-17.g1a2b3c4d', DIGEST, CHART_DIGEST]
        assert started[1].parameters*.value == ['1.4.0-17.g1a2b3c4d', 'C0123456:1700000000.000100']
    }

    @Test
    void the_environments_are_those_of_the_platform_in_its_order() {
        env.RELEASE_ENVIRONMENTS = 'qa,uat,live'
        assert play('service.Jenkinsfile') == null
        assert deploys() == ['/platform/orders/qa', '/platform/orders/uat', '/platform/orders/live']
        assert started*.wait == [true, true, true, false]
    }

    @Test
    void every_stage_that_runs_something_has_a_pod_of_its_own() {
        play('service.Jenkinsfile')
        assert pods*.inheritFrom == ['build', 'test store-postgres store-redis', 'build']
        assert pods[1].namespace == 'jenkins-tests'
        assert pods[1].yamlMergeStrategy == 'merge': 'the stores would be replaced'
        assert !pods.any { it.cloud }
        assert at('pod test') > at('node ends')
    }

    @Test
    void the_tests_run_in_the_image_that_was_built_with_the_stores_in_their_pod() {
        play('service.Jenkinsfile')
        Map spec = new org.yaml.snakeyaml.Yaml().load(pods[1].yaml).spec
        assert spec.containers*.name == ['app']
        assert spec.containers[0].image == "r/candidates/orders@${TEST_DIGEST}".toString()
        assert spec.containers[0].env*.name == ['DATABASE_URL', 'REDIS_URL']
        assert spec.containers[0].env*.value == ['postgresql://postgres@127.0.0.1:5432/postgres', 'redis://127.0.0.1:6379/0']
        assert spec.containers[0].securityContext.allowPrivilegeEscalation == false
        assert has("app: make -C '/app' test REPORTS=\"\$WORKSPACE/reports\"")
        assert at('junit') > at('app: make')
    }

    @Test
    void what_is_released_is_what_was_built_by_its_digest() {
        play('service.Jenkinsfile')
        assert events.count { it.startsWith('buildkit:') } == 2
        assert written['chart/values.yaml'] == [replicas: 2, image: [repository: 'r/services/orders', digest: DIGEST]]
        assert has("helm: helm package './chart' --version 1.4.0-17.g1a2b3c4d --app-version 1.4.0-17.g1a2b3c4d")
    }

    @Test
    void a_build_writes_candidates_only() {
        play('service.Jenkinsfile')
        assert has("helm push 'packaged/orders-1.4.0-17.g1a2b3c4d.tgz' 'oci://r/candidates/charts'")
        assert !has('crane:') && !has('oci://r/charts') && !commands.any { it.script.contains('r/services') }
    }

    @Test
    void the_released_branch_is_that_of_the_service_file_and_not_of_the_repository() {
        jenkins.model.Jenkins.DESCRIPTIONS['platform/orders/promote'] = 'services/orders/release%2F1'
        assert play('service.Jenkinsfile') == null
        assert started.empty && stages() == ['Preflight', 'Build', 'Test']
        branch('release/1')
        assert play('service.Jenkinsfile') == null
        assert started[0].job == '/platform/orders/promote'
    }

    @Test
    void a_repository_that_names_another_service_releases_nothing() {
        env.JOB_NAME = 'services/evil/main'
        assert play('service.Jenkinsfile') == null
        assert started.empty && !has('helm push')
    }

    @Test
    void a_service_without_a_file_is_built_and_the_reason_is_reported() {
        jenkins.model.Jenkins.DESCRIPTIONS.clear()
        assert play('service.Jenkinsfile') == null
        assert started.empty
        assert messages[-2].message.contains('has no services/orders.yaml on the platform, so that nothing is released')
    }

    @Test
    void a_release_that_is_refused_deploys_nothing() {
        answers['/platform/orders/promote'] = [result: 'FAILURE', description: 'it already exists', absoluteUrl: 'https://jenkins/9/']
        assert play('service.Jenkinsfile').message == 'promote ended with FAILURE: it already exists (https://jenkins/9/)'
        assert deploys().empty
        assert result == 'FAILURE'
        assert messages[-1].message.contains('failed at Promote: promote ended with FAILURE: it already exists')
    }

    @Test
    void a_chart_whose_digest_is_unknown_is_not_released() {
        answers['helm push'] = 'Pushed'
        assert play('service.Jenkinsfile').message == 'Helm named no digest for the chart orders 1.4.0-17.g1a2b3c4d'
        assert started.empty
    }

    @Test
    void a_pull_request_is_built_and_tested_and_releases_nothing() {
        branch('PR-7')
        assert play('service.Jenkinsfile') == null
        assert stages() == ['Preflight', 'Build', 'Test']
        assert !has('crane') && !has('helm push') && started.empty
        assert messages[-1].message.contains('builds and passes its tests')
    }

    private void pullRequest() {
        branch('PR-7')
        env.CHANGE_ID = '7'
    }

    @Test
    void only_pull_requests_use_the_cache_that_every_build_can_write() {
        play('service.Jenkinsfile')
        assert has('buildctl-daemonless.sh build') && !has('-cache')
        events.clear()
        pullRequest()
        play('service.Jenkinsfile')
        assert has('--import-cache type=registry,ref=r/cache/orders --export-cache type=registry,ref=r/cache/orders,mode=max')
    }

    @Test
    void a_pull_request_with_preview_is_deployed_after_its_tests() {
        pullRequest()
        answers['/platform/orders/preview'] = [result: 'SUCCESS', description: 'runs in preview-2 of staging']
        assert play('preview.Jenkinsfile') == null
        assert stages() == ['Preflight', 'Build', 'Test', 'Chart', 'Preview']
        assert started*.job == ['/platform/orders/preview']
        assert started[0].parameters*.value == ['1.4.0-17.g1a2b3c4d', 'C0123456:1700000000.000100']
        assert at('app: make') < at('helm push')
        assert messages[-1].message.contains('builds and passes its tests; runs in preview-2 of staging')
    }

    @Test
    void what_is_proposed_stays_among_the_candidates() {
        pullRequest()
        play('preview.Jenkinsfile')
        assert written['chart/values.yaml'].image == [repository: 'r/candidates/orders', digest: DIGEST]
        assert has("helm push 'packaged/orders-1.4.0-17.g1a2b3c4d.tgz' 'oci://r/candidates/charts'")
        assert !has('crane') && !has('r/services') && !has('oci://r/charts')
    }

    @Test
    void main_and_plain_branches_get_no_preview_namespace() {
        assert play('preview.Jenkinsfile') == null
        assert deploys() == ['/platform/orders/staging', '/platform/orders/production']
        started.clear()
        branch('try-it')
        assert play('preview.Jenkinsfile') == null
        assert started.empty
    }

    @Test
    void failed_tests_deploy_no_preview() {
        pullRequest()
        answers['make -C'] = new hudson.AbortException('exit code 2')
        assert play('preview.Jenkinsfile').message == 'exit code 2'
        assert started.empty && !has('helm push')
        assert messages[-1].message.contains('failed at Test: exit code 2')
    }

    @Test
    void without_a_free_preview_namespace_the_build_succeeds_with_a_warning() {
        pullRequest()
        answers['/platform/orders/preview'] = [result: 'NOT_BUILT', description: 'all 4 preview namespaces of staging are taken']
        assert play('preview.Jenkinsfile') == null
        assert result == null
        assert messages[-2].color == 'warning'
        assert messages[-2].message.contains('has no preview namespace: all 4 preview namespaces of staging are taken')
        assert messages[-1].message.contains('builds and passes its tests')
    }

    @Test
    void a_failed_preview_fails_the_build() {
        pullRequest()
        answers['/platform/orders/preview'] = [result: 'FAILURE', absoluteUrl: 'https://jenkins/job/preview/3/']
        assert play('preview.Jenkinsfile').message == 'the preview did not start: https://jenkins/job/preview/3/'
        assert result == 'FAILURE'
        assert messages[-1].message.contains('failed at Preview: the preview did not start')
    }

    @Test
    void a_chart_that_cannot_be_proposed_asks_for_no_preview_namespace() {
        pullRequest()
        answers['helm push'] = new hudson.AbortException('exit code 1')
        assert play('preview.Jenkinsfile').message == 'exit code 1'
        assert started.empty
        assert messages[-1].message.contains('failed at Chart: exit code 1')
    }

    @Test
    void without_a_stage_for_tests_they_run_in_the_image_itself() {
        files['Dockerfile'] = 'FROM python AS runtime\n'
        play('service.Jenkinsfile')
        assert events.count { it.startsWith('buildkit:') } == 1
        assert pods[1].yaml.contains(DIGEST)
    }

    @Test
    void a_thread_has_all_messages_of_a_build() {
        play('service.Jenkinsfile')
        assert messages*.channel == ['#team-orders', 'C0123456:1700000000.000100']
        assert messages[0].message == 'orders main #17: started (<https://jenkins/17/|log>)'
        assert messages[1].color == 'good'
        assert messages[1].message.contains('1.4.0-17.g1a2b3c4d is released')
    }

    @Test
    void a_build_continues_without_slack() {
        answers['slackSend'] = new IOException('no route')
        assert play('service.Jenkinsfile') == null
        messages.clear()
        env.remove('SLACK_CHANNEL')
        assert play('service.Jenkinsfile') == null
        assert messages.empty
    }

    @Test
    void failed_tests_release_nothing() {
        failsAt('make -C', 'Test')
        assert has('junit')
        assert !has('helm push')
    }

    @Test
    void a_registry_that_is_down_ends_the_build() {
        failsAt('buildctl-daemonless', 'Build')
        assert !has('app:')
    }

    @Test
    void a_chart_that_is_refused_deploys_nothing() {
        failsAt('helm push', 'Chart')
    }

    @Test
    void a_failed_staging_keeps_production_from_being_asked() {
        answers['/platform/orders/staging'] = [result: 'FAILURE', description: null, absoluteUrl: 'https://jenkins/9/']
        assert play('service.Jenkinsfile').message == 'staging ended with FAILURE (https://jenkins/9/)'
        assert deploys() == ['/platform/orders/staging']
        assert result == 'FAILURE'
        assert messages[-1].message.contains('failed at Deploy staging: staging ended with FAILURE')
    }

    private void failsAt(String command, String stage) {
        answers[command] = new hudson.AbortException('exit code 2')
        assert play('service.Jenkinsfile').message == 'exit code 2'
        assert result == 'FAILURE'
        assert messages[-1].color == 'danger'
        assert messages[-1].message.contains("failed at ${stage}: exit code 2")
        assert started.empty
    }

    @Test
    void a_build_that_is_stopped_says_where() {
        answers['make -C'] = interrupted()
        play('service.Jenkinsfile')
        assert result == 'ABORTED'
        assert messages[-1].color == 'warning'
        assert messages[-1].message.contains('was stopped at Test')
    }

    @Test
    void missing_files_of_a_repository_are_reported_first() {
        files.remove('Dockerfile')
        files['Makefile'] = 'build:\n\ttrue\n# test: later\ntest := x\n'
        assert play('service.Jenkinsfile').message.startsWith('there is no Dockerfile; the Makefile has no target test (docs/onboarding.md')
        assert stages() == ['Preflight']
        assert messages[-1].message.contains('failed at Preflight: there is no Dockerfile')
    }

    @Test
    void a_chart_of_another_name_or_version_is_refused() {
        files['chart/Chart.yaml'] = 'name: stock\nversion: 1.4.0\n'
        assert play('service.Jenkinsfile').message == "chart/Chart.yaml: name stock must be the service's, orders"
        files['chart/Chart.yaml'] = 'name: orders\nversion: 1.4.0-rc1\n'
        assert play('service.Jenkinsfile').message.contains('version 1.4.0-rc1 must be three numbers')
    }

    @Test
    void settings_are_checked() {
        assert refused("servicePipeline(name: 'orders', store: ['redis'])").startsWith('Jenkinsfile: servicePipeline knows no store; it takes name, stores')
        assert refused("servicePipeline(name: 'Orders')").startsWith('Jenkinsfile: name Orders: say the service')
        assert refused('servicePipeline(stores: [])').startsWith('Jenkinsfile: name null')
        assert refused("servicePipeline(name: 'orders', pool: 'big')").startsWith('Jenkinsfile: servicePipeline knows no pool; it takes')
        assert refused("servicePipeline(name: 'orders', main: 'evil')") == 'Jenkinsfile: the released branch is `main_branch` in services/orders.yaml of the platform; remove main'
        assert refused("servicePipeline(name: 'orders', deploys: ['stagin'])") == 'Jenkinsfile: deploys stagin: there are staging, production'
        assert refused('servicePipeline()').startsWith('Jenkinsfile: name null')
        assert refused("servicePipeline(name: 'orders', stores: ['mongo'])") == 'Jenkinsfile: stores mongo: there are postgres, redis, mysql'
    }

    @Test
    void a_setting_of_another_type_is_refused_before_the_first_pod() {
        assert refused("servicePipeline(name: 'orders', stores: 'redis')") == "Jenkinsfile: stores redis: write a list of names, such as stores: ['redis']"
        assert refused("servicePipeline(name: 'orders', deploys: [1])").startsWith('Jenkinsfile: deploys [1]: write a list of names')
        assert refused("servicePipeline(name: 'orders', minutes: '60')") == 'Jenkinsfile: minutes 60: write a positive number, such as minutes: 60'
        assert refused("servicePipeline(name: 'orders', minutes: 0)").startsWith('Jenkinsfile: minutes 0: write a positive number')
        assert refused("servicePipeline(name: 'orders', preview: 'false')") == 'Jenkinsfile: preview false: write true or false, without quotes'
        assert refused("servicePipeline(name: ['orders'], context: 1)") == 'Jenkinsfile: name [orders]: write a text in quotes; context 1: write a text in quotes'
    }

    @Test
    void a_store_that_is_named_twice_is_one_store() {
        File file = File.createTempFile('twice', '.Jenkinsfile')
        file.deleteOnExit()
        file.text = "@Library('platform') _\nservicePipeline(name: 'orders', stores: ['redis', 'redis'])\n"
        assert play(file.absolutePath) == null
        assert pods*.inheritFrom.contains('test store-redis')
    }

    @Test
    void a_chart_that_is_not_a_mapping_is_one_line() {
        files['chart/Chart.yaml'] = 'name: [orders\nversion: 1.4.0\n'
        String message = play('service.Jenkinsfile').message
        assert message.startsWith('./chart/Chart.yaml: is not YAML: ') && message.readLines().size() == 1
        files['chart/Chart.yaml'] = '- orders\n'
        assert play('service.Jenkinsfile').message == './chart/Chart.yaml: must contain keys with values, such as `name: orders`'
        files['chart/Chart.yaml'] = ''
        assert play('service.Jenkinsfile').message == "chart/Chart.yaml: name null must be the service's, orders"
        assert started.empty
    }

    @Test
    void a_chart_without_values_gets_the_digest_of_its_image() {
        files['chart/values.yaml'] = ''
        branch('main')
        assert play('service.Jenkinsfile') == null
        assert written['chart/values.yaml'] == [image: [repository: 'r/services/orders', digest: digest]]
    }

    private String refused(String call) {
        File file = File.createTempFile('wrong', '.Jenkinsfile')
        file.deleteOnExit()
        file.text = "@Library('platform') _\n${call}\n"
        Throwable failure = play(file.absolutePath)
        assert events.findAll { it.startsWith('stage') }.empty
        return failure.message
    }
}
