import org.junit.Before
import org.junit.Test

class DeployServiceTest extends Jenkins {
    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d', THREAD: 'C0123456:1700000000.000100'])
        build.startedBy('services/orders/main')
    }

    @Test
    void approval_comes_before_any_pod_and_then_one_deploy_at_a_time() {
        assert play('deploy.Jenkinsfile') == null
        assert stages() == ['Approve', 'Deploy', 'Smoke test']
        assert at('input ada@example.com') < at('milestone')
        assert at('milestone') < at('lock deploy-production-orders')
        assert at('lock') < at('pod deploy-production')
        assert pods*.cloud == ['deploy-production']
        assert has("helm upgrade 'orders' --namespace 'orders'")
        assert has("--install --atomic --wait --timeout 10m")
        assert has("--set-string project='p'")
        assert has("--set-string host='orders.example.com'")
        assert has("helm pull 'oci://r/charts/orders' --version 1.4.0-17.g1a2b3c4d")
        assert !has('--values')
    }

    @Test
    void every_command_acts_as_the_account_of_the_services_namespace() {
        answers['helm test'] = new hudson.AbortException('exit code 1')
        play('deploy.Jenkinsfile')
        List<String> helms = commands.findAll { it.script =~ /helm (upgrade|test|rollback)/ }*.script
        assert helms.size() == 3
        assert helms.every { it.count("--namespace 'orders'") == it.count("--kube-as-user 'system:serviceaccount:orders:deployer'") }
        assert helms.every { it.contains("--kube-as-user 'system:serviceaccount:orders:deployer'") }
    }

    @Test
    void values_of_the_environment_are_used_where_the_chart_has_them() {
        files['orders/values-production.yaml'] = 'replicas: 5\n'
        play('deploy.Jenkinsfile')
        assert has("--values 'orders/values-production.yaml'")
    }

    @Test
    void messages_continue_the_thread_of_the_build() {
        play('deploy.Jenkinsfile')
        assert messages*.channel.unique() == ['C0123456:1700000000.000100']
        assert messages[0].message.contains('waits for ada@example.com: https://jenkins/17/input')
        assert messages[-1].message.contains('is running')
    }

    @Test
    void an_invalid_thread_id_opens_a_new_thread() {
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d', THREAD: '#everyone'])
        play('deploy.Jenkinsfile')
        assert messages[0].channel == '#team-orders'
    }

    @Test
    void without_an_approval_nothing_changes() {
        answers['input'] = interrupted()
        play('deploy.Jenkinsfile')
        assert result == 'ABORTED'
        assert pods.empty
        assert messages[-1].message.contains('was not approved; nothing changed')
    }

    @Test
    void a_failed_release_is_reported() {
        answers['helm upgrade'] = new hudson.AbortException('exit code 1')
        assert play('deploy.Jenkinsfile').message == 'exit code 1'
        assert !has('helm test')
        assert messages[-1].message.contains('failed at Deploy: exit code 1')
    }

    @Test
    void a_failed_smoke_test_rolls_back() {
        answers['helm test'] = new hudson.AbortException('exit code 1')
        assert play('deploy.Jenkinsfile').message == 'the smoke test failed and the release before it is back (exit code 1)'
        assert has("helm rollback 'orders' --namespace 'orders'")
        assert at('helm rollback') > at('helm test')
        assert result == 'FAILURE'
    }

    @Test
    void only_builds_of_the_main_branch_may_deploy() {
        for (String caller : [
            'services/orders/try-it', 'services/orders/PR-7', 'services/orders/main2', 'services/orders/release%2Fmain', 'services/orders/m.in',
            'services/stock/main', 'services/orders-too/main', 'services/order', 'platform/orders/staging',
        ]) {
            build.startedBy(caller)
            assert play('deploy.Jenkinsfile').message == "${caller} may not deploy orders; builds of services/orders/main may".toString()
        }
        assert pods.empty && !has('input')
    }

    @Test
    void a_build_that_was_deleted_is_not_a_person() {
        build.buildCauses = [[_class: 'hudson.model.Cause$UpstreamCause$DeeplyNestedUpstreamCause']]
        assert play('deploy.Jenkinsfile').message.contains('may not deploy orders')
        build.buildCauses = []
        assert play('deploy.Jenkinsfile').message.contains('may not deploy orders')
    }

    @Test
    void a_person_may_deploy_any_released_version() {
        build.startedByPerson()
        assert play('deploy.Jenkinsfile') == null
    }

    @Test
    void an_invalid_version_is_refused() {
        for (String version : ['', 'latest', "1.0.0-1.g1a2b3c4d'; rm -rf /", '1.0.0']) {
            binding.setVariable('params', [VERSION: version])
            assert play('deploy.Jenkinsfile').message.startsWith("VERSION '${version}': choose one that a build released")
        }
        assert pods.empty
    }

    @Test
    void no_token_is_printed() {
        play('deploy.Jenkinsfile')
        List<String> signingIn = events.findAll { it.contains('print-access-token') }
        assert signingIn.size() == 2
        assert signingIn.every { it.startsWith('gcloud: set +x umask 077') }
    }
}
