import org.junit.Before
import org.junit.Test

class DeployServiceTest extends Jenkins {
    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d', THREAD: 'C0123456:1700000000.000100'])
        build.startedBy('services/orders/main')
        answers['helm list'] = '[{"name": "orders", "revision": "4", "app_version": "1.4.0-15.g0a0b0c0d"}]'
        answers['compare.py running.yaml'] = 'running: Deployment orders\n-  replicas: 2\n+  replicas: 3\n0 created, 1 changed, 0 deleted\n'
        answers['commits.py'] = '2 commits\n1a2b3c4d Add a retry <!channel>\n9a9b9c9d Fix the cart\n'
    }

    @Test
    void approval_comes_before_any_pod_and_then_one_deploy_at_a_time() {
        assert play('deploy.Jenkinsfile') == null
        assert stages() == ['Compare', 'Approve', 'Deploy', 'Smoke test']
        assert at('pod deploy-production ends') < at('input ada@example.com'): 'no pod waits'
        assert at('input ada@example.com') < at('milestone')
        assert at('milestone') < at('lock deploy-production-orders')
        assert at('lock') < at('helm upgrade')
        assert pods*.cloud == ['deploy-production', 'deploy-production']
        assert has("helm upgrade 'orders' --namespace 'orders'")
        assert has("--install --wait --timeout 10m")
        assert has('timeout 35 MINUTES')
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
        assert helms.size() == 4
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
    void the_approver_sees_the_commits_and_the_changes_of_objects() {
        play('deploy.Jenkinsfile')
        String summary = '2 commits since 1.4.0-15.g0a0b0c0d; objects: 0 created, 1 changed, 0 deleted'
        String link = 'https://github.com/acme/orders/compare/0a0b0c0d...1a2b3c4d'
        assert build.description == "${summary} (${link})".toString()
        assert has("helm get manifest 'orders' --namespace 'orders' --revision 4")
        assert has("helm template 'orders' --namespace 'orders' './orders' --no-hooks --is-upgrade --set-string environment='production'")
        assert has("'https://api.github.com/repos/acme/orders/compare/0a0b0c0d...1a2b3c4d'")
        assert has("credentials ${env.REPORTS_CREDENTIAL}"): 'the job has no repository from which the other could infer one'
        assert written['change.txt'].startsWith(summary)
        assert written['change.txt'].contains('9a9b9c9d Fix the cart') && written['change.txt'].contains('+  replicas: 3')
        assert asked.contains(summary) && asked.contains('1a2b3c4d Add a retry') && asked.contains('https://jenkins/17/artifact/change.txt')
        assert messages[0].message.contains("${summary} (${link})")
        assert !messages*.message.any { it.contains('<!channel>') || it.contains('replicas') }
        assert !has('helm upgrade') || at('archiveArtifacts') < at('helm upgrade')
    }

    @Test
    void without_an_answer_of_github_the_approver_gets_a_link() {
        answers['commits.py'] = new hudson.AbortException('exit code 22')
        assert play('deploy.Jenkinsfile') == null
        assert build.description == 'commits since 1.4.0-15.g0a0b0c0d; objects: 0 created, 1 changed, 0 deleted (https://github.com/acme/orders/compare/0a0b0c0d...1a2b3c4d)'
    }

    @Test
    void a_first_release_is_compared_with_nothing() {
        answers['helm list'] = '[]'
        assert play('deploy.Jenkinsfile') == null
        assert build.description == 'the first release; objects: 0 created, 1 changed, 0 deleted'
        assert has('helm: true > running.yaml') && !has('--is-upgrade') && !has('commits.py')
    }

    @Test
    void a_chart_that_cannot_be_compared_is_not_approved() {
        answers['helm template'] = new hudson.AbortException('exit code 1')
        assert play('deploy.Jenkinsfile').message == 'exit code 1'
        assert !has('input') && !has('helm upgrade')
        assert messages[-1].message.contains('failed at Compare: exit code 1')
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
        assert !has('helm upgrade')
        assert messages[-1].message.contains('was not approved; nothing changed')
    }

    @Test
    void a_cluster_without_access_is_reported_before_helm_calls_it() {
        answers['/version'] = new hudson.AbortException('no access')
        assert play('deploy.Jenkinsfile').message == 'no access'
        assert has('401|403) echo "no access to the cluster')
        assert !has('helm pull')
    }

    @Test
    void a_release_that_does_not_become_ready_says_why_and_the_one_before_is_back() {
        answers['helm upgrade'] = new hudson.AbortException('exit code 1')
        answers['reasons.py'] = 'orders-1: service: ends with exit code 1 (Error), restarts: 4\n'
        String message = 'the deploy failed and the release before it is back (orders-1: service: ends with exit code 1 (Error), restarts: 4)'
        assert play('deploy.Jenkinsfile').message == message
        assert has("python3 reasons.py 'orders' helm-errors.txt")
        assert has("helm rollback 'orders' --namespace 'orders' 4 --kubeconfig")
        assert at('reasons.py') < at('--wait --timeout 10m', at('reasons.py')): 'the pods are asked before they are gone'
        assert !has('helm test')
        assert messages[-1].message.contains("failed at Deploy: ${message}")
    }

    @Test
    void without_an_answer_about_pods_the_failure_of_helm_remains() {
        answers['helm upgrade'] = new hudson.AbortException('exit code 1')
        answers['reasons.py'] = new hudson.AbortException('exit code 2')
        assert play('deploy.Jenkinsfile').message == 'the deploy failed and the release before it is back (exit code 1)'
    }

    @Test
    void a_first_release_that_fails_is_removed() {
        answers['helm list'] = '[]'
        answers['helm upgrade'] = new hudson.AbortException('exit code 1')
        assert play('deploy.Jenkinsfile').message == 'the deploy failed and its release, the first one, is removed (exit code 1)'
        assert has("helm uninstall 'orders' --namespace 'orders'") && !has('helm rollback')
    }

    @Test
    void a_deploy_that_is_stopped_brings_the_release_before_it_back() {
        answers['helm upgrade'] = interrupted()
        play('deploy.Jenkinsfile')
        assert result == 'ABORTED'
        assert has("helm rollback 'orders' --namespace 'orders' 4")
        assert !has('reasons.py')
    }

    @Test
    void a_release_that_an_interrupted_deploy_left_locked_is_released_first() {
        play('deploy.Jenkinsfile')
        String unlock = commands*.script.find { it.contains('helm list --pending') }
        assert unlock.contains("--filter '^orders\$'") && unlock.contains("helm rollback 'orders' --namespace 'orders' 4")
        assert at('helm list --pending') < at('helm upgrade')
    }

    @Test
    void a_failed_smoke_test_rolls_back() {
        answers['helm test'] = new hudson.AbortException('exit code 1')
        assert play('deploy.Jenkinsfile').message == 'the smoke test failed and the release before it is back (exit code 1)'
        assert at("helm rollback 'orders'", at('helm test')) > at('helm test')
        assert result == 'FAILURE'
    }

    @Test
    void a_release_that_does_not_come_back_is_named_and_never_removed() {
        answers['helm test'] = new hudson.AbortException('exit code 1')
        answers['helm rollback'] = new hudson.AbortException('exit code 3')
        String message = 'the smoke test failed (exit code 1), and the release before it did not come back (exit code 3); deploy 1.4.0-15.g0a0b0c0d'
        assert play('deploy.Jenkinsfile').message == message
        assert !has('helm uninstall')
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
        assert signingIn.size() == 4
        assert signingIn.every { it.startsWith('gcloud: set +x umask 077') }
    }
}
