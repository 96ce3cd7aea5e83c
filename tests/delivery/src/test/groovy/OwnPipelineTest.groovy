import org.junit.Before
import org.junit.Test

/** The Jenkinsfile of this repository. */
class OwnPipelineTest extends Jenkins {
    String file = new File(library.parentFile, 'Jenkinsfile').absolutePath

    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        env.putAll([
            PLATFORM_REPOSITORY: 'acme/platform', PLATFORM_BACKEND: 'gs://acme-pulumi', PLATFORM_BOT: 'acme[bot]',
            PLATFORM_IMAGE: 'r/pulumi:1', PLATFORM_SLACK: '',
        ])
        answers['find stacks'] = 'ci\nproduction\nstaging\ntry-it\n'
        answers['environment list --json'] = listed([
            ['ci', 'build', []], ['staging', 'test', []], ['production', 'production', ['ada@example.com']], ['try-it', 'ephemeral', []],
        ])
    }

    private String listed(List<List> environments) {
        return groovy.json.JsonOutput.toJson(environments.collect { [name: it[0], stage: it[1], approvers: it[2]] })
    }

    private void pullRequest() {
        env.putAll([JOB_NAME: 'platform-previews/stacks/PR-7', CHANGE_ID: '7', CHANGE_TARGET: 'main'])
    }

    @Test
    void a_pull_request_is_previewed_and_reported_with_an_identity_that_reads() {
        pullRequest()
        answers['atwork preview'] = 2
        answers['atwork report'] = 2
        assert play(file) == null
        assert stages() == ['Preview', 'Report']
        assert pods*.cloud == ['platform-preview', null]
        assert has('pulumi: .venv/bin/atwork preview --real --out out')
        assert has('report: .venv/bin/atwork report out --pr 7 --stacks ci,production,staging,try-it --head 1a2b3c4d5e6f')
        assert has('with PULUMI_BACKEND_URL=gs://acme-pulumi')
        assert !has('atwork up')
    }

    @Test
    void the_comment_is_written_by_mains_code_in_a_pod_without_an_identity() {
        pullRequest()
        play(file)
        assert pods[1].namespace == 'jenkins-tests'
        assert pods[1].serviceAccount == 'jenkins-test'
        assert pods[1].yamlMergeStrategy == 'merge'
        assert new org.yaml.snakeyaml.Yaml().load(pods[1].yaml).spec.containers[0].image == 'r/pulumi:1'
        assert at('pod platform-preview ends') < at('git main')
        assert at('git main') < at('atwork report')
        // The token is where the pull request's own program is not.
        assert at('pod platform-preview ends') < at('credentials github-reports')
    }

    @Test
    void a_failed_preview_is_reported_and_fails_the_build() {
        pullRequest()
        answers['make setup'] = null
        answers['atwork preview'] = 1
        answers['atwork report'] = 0
        assert play(file).message == 'a preview failed: see the comment'
        assert has('atwork report')
    }

    @Test
    void a_checkout_that_cannot_be_set_up_is_a_failed_row() {
        pullRequest()
        answers['atwork preview'] = new hudson.AbortException('no agent')
        assert play(file).message == 'a preview failed: see the comment'
        assert has('caught no agent')
        assert has('atwork report')
    }

    @Test
    void a_dangerous_change_waits_for_the_label_of_an_approver() {
        pullRequest()
        answers['atwork preview'] = 3
        answers['atwork report'] = 3
        assert play(file).message.startsWith('a protection or data goes')
        // With the label of somebody who decides, the report itself says that the change may go on.
        answers['atwork report'] = 2
        assert play(file) == null
    }

    @Test
    void a_fingerprint_that_cannot_be_published_fails_the_build() {
        pullRequest()
        answers['atwork report'] = 1
        assert play(file).message == 'a preview failed: see the comment'
    }

    @Test
    void main_is_deployed_to_ci_and_staging_and_after_an_approval_to_production() {
        env.JOB_NAME = 'platform-changes/update'
        assert play(file) == null
        assert stages() == ['Stacks', 'Update ci', 'Update staging', 'Approve production', 'Update production', 'Update try-it']
        assert pods*.cloud == ['platform-preview'] + ['platform-change'] * 4
        for (String stack : ['ci', 'staging', 'production', 'try-it']) {
            assert has("pulumi: .venv/bin/atwork up ${stack} --expect merged")
            assert at("lock stack-${stack}") < at("atwork up ${stack} ")
        }
        assert at('input ada@example.com') < at('atwork up production')
        assert commands.count { it.script.contains('git checkout --quiet --detach 1a2b3c4d5e6f') } == 4
    }

    @Test
    void the_order_and_the_approvals_do_not_depend_on_names() {
        env.JOB_NAME = 'platform-changes/update'
        answers['environment list --json'] = listed([
            ['build', 'build', []], ['qa', 'test', ['bea@example.com']], ['uat', 'test', []], ['live', 'production', ['ada@example.com', 'grace@example.com']],
        ])
        assert play(file) == null
        assert stages() == ['Stacks', 'Update build', 'Approve qa', 'Update qa', 'Update uat', 'Approve live', 'Update live']
        assert has('input bea@example.com') && has('input ada@example.com,grace@example.com')
        assert at('atwork up uat') < at('input ada@example.com,grace@example.com')
    }

    @Test
    void no_pod_waits_for_the_approval_of_production() {
        env.JOB_NAME = 'platform-changes/update'
        play(file)
        List<String> before = events.take(at('input'))
        assert before.count { it == 'pod platform-change' } == before.count { it == 'pod platform-change ends' }
        assert at('input') < at('milestone')
    }

    @Test
    void what_fails_in_ci_reaches_nothing_else() {
        env.JOB_NAME = 'platform-changes/update'
        answers['atwork up ci'] = new hudson.AbortException('exit code 4')
        assert play(file).message == 'exit code 4'
        assert !has('atwork up staging') && !has('atwork up production')
    }

    @Test
    void what_fails_in_staging_or_is_not_approved_keeps_production_as_it_is() {
        env.JOB_NAME = 'platform-changes/update'
        answers['atwork up staging'] = new hudson.AbortException('exit code 1')
        assert play(file).message == 'exit code 1'
        assert !has('input')
        answers.remove('atwork up staging')
        answers['input'] = interrupted()
        play(file)
        assert !has('atwork up production')
    }

    @Test
    void slack_gets_messages_if_there_is_a_webhook() {
        env.JOB_NAME = 'platform-changes/update'
        env.PLATFORM_SLACK = 'slack-webhook'
        play(file)
        assert has('credentials slack-webhook')
        assert has('atwork up ci --expect merged --slack')
    }

    @Test
    void drift_detection_reads_and_fails_if_there_is_drift() {
        env.JOB_NAME = 'platform-changes/drift'
        assert play(file) == null
        assert pods*.cloud == ['platform-drift']
        answers['atwork drift'] = 2
        assert play(file).message.startsWith('something changed behind Pulumi')
        assert has('archiveArtifacts')
    }

    @Test
    void expired_ephemeral_environments_are_destroyed_each_hour() {
        env.JOB_NAME = 'platform-changes/reap'
        assert play(file) == null
        assert has('pulumi: .venv/bin/atwork environment reap --apply --real')
        answers['environment reap'] = new hudson.AbortException('exit code 1')
        assert play(file).message == 'exit code 1'
    }

    @Test
    void a_job_of_another_name_does_nothing() {
        env.JOB_NAME = 'services/platform/main'
        assert play(file).message == 'services/platform/main is not one of the jobs of this repository'
        assert pods.empty
    }
}
