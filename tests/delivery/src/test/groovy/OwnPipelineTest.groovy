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
        environments([
            ['ci', 'build', []], ['staging', 'test', []], ['production', 'production', ['ada@example.com']], ['try-it', 'ephemeral', []],
        ])
    }

    /** Environments as [name, stage, approvers], of which a merge reaches all, or some stacks. */
    private void environments(List<List> all, Map<String, List<String>> groups = [:], List<String> own = all*.get(0)) {
        answers['environment list --json'] = listed(all)
        Map updates = ['build', 'test', 'production', 'ephemeral'].collectEntries { stage ->
            List reached = all.findAll { it[1] == stage && (it[0] in own || groups[it[0]]) }
            [stage, reached.collect { [environment: it[0], own: it[0] in own, groups: groups[it[0]] ?: []] }]
        }
        batches('ci staging production try-it', updates)
    }

    private void batches(List<String> batches, Map more = [:]) {
        answers['environment jobs'] = groovy.json.JsonOutput.toJson([batches: batches] + more)
    }

    private void batches(String stacks, Map more) { batches([stacks], more) }

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
        assert has('pulumi: .venv/bin/atwork environment jobs --base origin/target')
        assert has('pulumi: .venv/bin/atwork preview ci staging production try-it --no-groups --real --base origin/target --out out/1')
        assert has('report: .venv/bin/atwork report out --pr 7 --stacks ci,production,staging,try-it --head 1a2b3c4d5e6f')
        assert has('with PULUMI_BACKEND_URL=gs://acme-pulumi')
        assert !has('atwork up')
    }

    @Test
    void the_branch_that_it_changes_is_fetched_before_its_program_runs() {
        pullRequest()
        play(file)
        assert at('dir /w@tmp/target') < at('git main')
        assert at('git main') < at("pulumi: git fetch --quiet '/w@tmp/target' HEAD:refs/remotes/origin/target")
        assert at('git fetch') < at('make setup')
    }

    @Test
    void many_stacks_are_previewed_in_several_pods_and_reported_together() {
        pullRequest()
        batches(['ci ci.a', 'staging staging.a', 'production'])
        answers['atwork preview'] = 2
        answers['atwork report'] = 2
        assert play(file) == null
        assert pods*.cloud == ['platform-preview'] * 3 + [null]
        assert has('atwork preview ci ci.a --no-groups --real --base origin/target --out out/1')
        assert has('atwork preview staging staging.a --no-groups --real --base origin/target --out out/2')
        assert has('atwork preview production --no-groups --real --base origin/target --out out/3')
        assert events.count { it == 'stash' } == 3 && events.count { it == 'unstash' } == 3
        assert commands.count { it.script.contains('git checkout --quiet --detach 1a2b3c4d5e6f') } == 2
    }

    @Test
    void a_part_that_fails_is_reported_with_the_others() {
        pullRequest()
        batches(['ci', 'staging', 'production'])
        answers['preview ci '] = 0
        answers['preview staging '] = new hudson.AbortException('no agent')
        answers['preview production '] = 0
        assert play(file).message == 'a preview failed: see the comment'
        assert at('preview production ') < at('atwork report')
    }

    @Test
    void a_change_that_reaches_no_stack_is_reported_without_a_preview() {
        pullRequest()
        batches([])
        assert play(file) == null
        assert !has('atwork preview')
        assert has('atwork report')
    }

    @Test
    void the_comment_is_written_by_mains_code_in_a_pod_without_an_identity() {
        pullRequest()
        play(file)
        assert pods[1].namespace == 'jenkins-tests'
        assert pods[1].serviceAccount == 'jenkins-test'
        assert pods[1].yamlMergeStrategy == 'merge'
        assert new org.yaml.snakeyaml.Yaml().load(pods[1].yaml).spec.containers[0].image == 'r/pulumi:1'
        assert at('pod platform-preview ends') < events.findLastIndexOf { it == 'git main' }
        assert events.findLastIndexOf { it == 'git main' } < at('atwork report')
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
        assert pods*.cloud == ['platform-preview'] + ['ci', 'staging', 'production', 'ephemeral'].collect { "platform-change-${it}".toString() }
        for (String stack : ['ci', 'staging', 'production', 'try-it']) {
            assert has("pulumi: .venv/bin/atwork up ${stack} --no-groups --expect merged --tip 1a2b3c4d5e6f")
            assert at("lock stack-${stack}") < at("atwork up ${stack} ")
        }
        assert at('input ada@example.com') < at('atwork up production')
        assert commands.count { it.script.contains('git checkout --quiet --detach 1a2b3c4d5e6f') } == 4
    }

    @Test
    void the_order_and_the_approvals_do_not_depend_on_names() {
        env.JOB_NAME = 'platform-changes/update'
        environments([
            ['build', 'build', []], ['qa', 'test', ['bea@example.com']], ['uat', 'test', []], ['live', 'production', ['ada@example.com', 'grace@example.com']],
        ])
        assert play(file) == null
        assert stages() == ['Stacks', 'Update build', 'Approve qa', 'Update qa', 'Update uat', 'Approve live', 'Update live']
        assert has('input bea@example.com') && has('input ada@example.com,grace@example.com')
        assert at('atwork up uat') < at('input ada@example.com,grace@example.com')
    }

    @Test
    void each_environment_is_updated_by_its_own_account() {
        env.JOB_NAME = 'platform-changes/update'
        assert play(file) == null
        for (String stack : ['ci', 'staging', 'production']) {
            assert at("pod platform-change-${stack}") < at("atwork up ${stack} ") && at("atwork up ${stack} ") < at("pod platform-change-${stack} ends")
        }
        assert at('pod platform-change-ephemeral') < at('atwork up try-it ') && at('atwork up try-it ') < at('pod platform-change-ephemeral ends')
    }

    @Test
    void no_pod_waits_for_the_approval_of_production() {
        env.JOB_NAME = 'platform-changes/update'
        play(file)
        List<String> before = events.take(at('input'))
        assert before.count { it.startsWith('pod ') && !it.endsWith(' ends') } == before.count { it.startsWith('pod ') && it.endsWith(' ends') }
        assert !before.contains('lock stack-production')
    }

    @Test
    void a_merge_updates_the_stacks_that_it_reaches_and_waits_for_those_alone() {
        env.JOB_NAME = 'platform-changes/update'
        environments([['ci', 'build', []], ['staging', 'test', []], ['production', 'production', ['ada@example.com']], ['try-it', 'ephemeral', []]],
            [ci: ['ci.payments'], staging: ['staging.payments'], production: ['production.payments']], [])
        assert play(file) == null
        assert stages() == ['Stacks', 'Update ci.payments', 'Update staging.payments', 'Approve production', 'Update production.payments']
        assert events.findAll { it.startsWith('lock ') } == ['ci', 'staging', 'production'].collect { "lock stack-${it}.payments".toString() }
        assert asked == 'Update production.payments to 1a2b3c4d?'
        assert !has('milestone'), 'it would end the builds of other teams that wait for an approval'
    }

    @Test
    void merges_that_share_a_build_are_all_updated() {
        env.JOB_NAME = 'platform-changes/update'
        RunningBuild older = new RunningBuild(buildVariables: [MERGED_COMMIT: '0a0a0a'])
        build.previousBuild = new RunningBuild(previousBuild: older) // it ended before its checkout
        assert play(file) == null
        assert has('pulumi: .venv/bin/atwork environment jobs --merged --since 0a0a0a')
        assert has('pulumi: .venv/bin/atwork up staging --no-groups --expect merged --since 0a0a0a --tip 1a2b3c4d5e6f')
        assert env.MERGED_COMMIT == '1a2b3c4d5e6f', 'for the next build'
    }

    @Test
    void an_environment_is_updated_before_its_groups() {
        env.JOB_NAME = 'platform-changes/update'
        environments([['ci', 'build', []], ['staging', 'test', []]], [staging: ['staging.a staging.b', 'staging.c']])
        assert play(file) == null
        assert stages() == ['Stacks', 'Update ci', 'Update staging', 'Update staging.a staging.b', 'Update staging.c']
        assert has('branch staging.c')
        assert at('lock stack-staging.a') < at('lock stack-staging.b') && at('lock stack-staging.b') < at('atwork up staging.a staging.b ')
        answers['atwork up staging '] = new hudson.AbortException('exit code 4')
        events.clear()
        assert play(file).message == 'exit code 4'
        assert !has('atwork up staging.c')
    }

    @Test
    void a_merge_that_reaches_nothing_asks_nobody() {
        env.JOB_NAME = 'platform-changes/update'
        environments([['ci', 'build', []], ['production', 'production', ['ada@example.com']]], [:], [])
        assert play(file) == null
        assert stages() == ['Stacks']
        assert !has('input')
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
        answers['atwork up staging '] = new hudson.AbortException('exit code 1')
        assert play(file).message == 'exit code 1'
        assert !has('input')
        answers.remove('atwork up staging ')
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
        assert has('atwork up ci --no-groups --expect merged --tip 1a2b3c4d5e6f --slack')
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
    void drift_of_many_stacks_is_looked_for_in_several_pods() {
        env.JOB_NAME = 'platform-changes/drift'
        batches(['ci ci.a', 'staging'])
        assert play(file) == null
        assert pods*.cloud == ['platform-drift'] * 2
        assert has('atwork drift ci ci.a --no-groups --real --out out/1') && has('atwork drift staging --no-groups --real --out out/2')
        assert !has('git fetch')
        answers['atwork drift staging'] = 2
        assert play(file).message.startsWith('something changed behind Pulumi')
        answers['atwork drift staging'] = 1
        assert play(file).message == 'a preview failed'
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
