import org.junit.Test

/** The jobs that the platform defines, run as Job DSL would, and then played. */
class JobsTest extends Jenkins {
    private List<Map> defined() {
        JobDsl.load(new org.yaml.snakeyaml.Yaml().load(new File(System.getProperty('jobs')).text), this.class.classLoader)
    }

    private Map job(String path) {
        List<Map> matches = defined().findAll { it.arguments == [path] }
        assert matches.size() == 1: "${path} is defined ${matches.size()} times"
        return matches[0]
    }

    private List<String> parameters(String path) {
        JobDsl.all(job(path)).findAll { it.name == 'stringParam' }*.arguments*.first()
    }

    @Test
    void every_pipeline_is_in_a_folder_of_the_platform_and_sandboxed() {
        List<Map> pipelines = defined().findAll { it.name == 'pipelineJob' && JobDsl.inside(it, 'script') }
        assert pipelines*.arguments.flatten().toSet() == ['platform/orders/promote', 'platform/orders/staging', 'platform/orders/production', 'platform/orders/preview', 'platform/preview-janitor'].toSet()
        assert pipelines.every { JobDsl.inside(it, 'sandbox') == true }
        assert defined().findAll { it.name == 'folder' }*.arguments.flatten() == ['platform', 'platform-previews', 'platform-changes', 'platform/orders']
        assert parameters('platform/orders/promote') == ['VERSION', 'IMAGE', 'CHART']
        assert JobDsl.inside(job('platform/orders/promote'), 'description') == 'services/orders/main': 'the library reads it'
        assert parameters('platform/orders/staging') == ['VERSION', 'THREAD']
        assert parameters('platform/orders/preview') == ['VERSION', 'THREAD', 'PULL']
    }

    @Test
    void only_the_folders_of_the_platform_may_use_restricted_clouds() {
        Map permitted = [:]
        defined().each { item ->
            JobDsl.all(item).findAll { it.document }.each {
                permitted[item.arguments[0]] = it.document.depthFirst().findAll { it instanceof Node && it.name() == 'string' }*.text()
            }
        }
        assert permitted == [
            platform: ['deploy-staging', 'deploy-production', 'previews-staging', 'promote'],
            'platform-previews': ['platform-preview'],
            'platform-changes': ['platform-preview', 'platform-drift', 'platform-change-ci', 'platform-change-staging', 'platform-change-production', 'platform-change-ephemeral'],
        ]
    }

    @Test
    void code_of_a_pull_request_is_in_no_folder_that_changes_stacks() {
        assert job('platform-previews/stacks').name == 'multibranchPipelineJob'
        assert JobDsl.inside(job('platform-previews/stacks'), 'repositoryUrl') == 'https://github.com/acme/at-work'
        List<Map> changing = defined().findAll { it.name == 'pipelineJob' && it.arguments[0].startsWith('platform-changes/') }
        assert changing.collectEntries { [it.arguments[0] - 'platform-changes/', JobDsl.inside(it, 'branch')] } ==
            [update: 'main', drift: 'main', reap: 'main']
        assert !defined().collectMany { JobDsl.all(it) }*.name.any { it.contains('Fork') }
    }

    @Test
    void only_folders_of_the_platform_have_the_credential_that_writes_reports() {
        List folders = defined().findAll { it.name == 'folder' && JobDsl.all(it)*.name.contains('gitHubApp') }
        assert folders*.arguments*.first() == ['platform', 'platform-previews', 'platform-changes']
        folders.each { folder ->
            assert JobDsl.inside(folder, 'privateKey').plainText.contains('readFile:/run/secret-manager/jenkins-github-reports-key')
            assert JobDsl.inside(folder, 'repositories') == (folder.arguments[0] == 'platform' ? [] : ['at-work'])
        }
        assert defined().findAll { JobDsl.all(it)*.name.contains('gitHubApp') }*.arguments == folders*.arguments
    }

    @Test
    void the_repository_of_the_platform_is_not_a_service() {
        assert JobDsl.inside(job('services'), 'excludes') == 'at-work'
        assert JobDsl.inside(job('services'), 'repoOwner') == 'acme'
        assert JobDsl.all(job('services'))*.name.containsAll(['gitHubBranchDiscovery', 'gitHubPullRequestDiscovery'])
    }

    @Test
    void jobs_start_with_a_push_or_at_fixed_times_and_only_updates_at_the_same_time() {
        assert JobDsl.all(job('platform-changes/update'))*.name.contains('githubPush')
        assert JobDsl.inside(job('platform-changes/update'), 'scmpoll_spec') == 'H * * * *'
        assert !JobDsl.all(job('platform-changes/drift'))*.name.contains('pollSCM')
        assert JobDsl.inside(job('platform-changes/drift'), 'spec') == 'H 3 * * *'
        assert JobDsl.inside(job('platform/preview-janitor'), 'spec') == 'H * * * *'
        assert !JobDsl.all(job('platform-changes/update'))*.name.contains('disableConcurrentBuilds'), 'a build waits for stacks, not for builds'
        assert ['platform-changes/drift', 'platform-changes/reap', 'platform/preview-janitor'].every { JobDsl.all(job(it))*.name.contains('disableConcurrentBuilds') }
    }

    @Test
    void new_repositories_and_pull_requests_are_found_without_a_call_of_github() {
        assert JobDsl.inside(job('services'), 'interval') == '1h'
        assert JobDsl.inside(job('platform-previews/stacks'), 'interval') == '1h'
    }

    @Test
    void the_first_scan_of_a_branch_builds_nothing() {
        Map strategies = JobDsl.all(job('services')).find { it.name == 'buildStrategies' }
        assert strategies.calls*.name == ['skipInitialBuildOnFirstBranchIndexing', 'buildChangeRequests']
    }

    @Test
    void any_text_is_an_argument() {
        String text = "a'b\\c\nd\${e}\"f"
        String document = groovy.json.JsonOutput.toJson([pipelines: [[path: 'platform/x/y', description: '', function: 'echo', arguments: [text: text]]]])
        String file = new File(library, 'jobs/pipelines.groovy').text
        Map only = JobDsl.load([jobs: [[providedEnv: [ATWORK_JOBS: document]], [script: file]]], this.class.classLoader).find { it.name == 'pipelineJob' }
        Map given = [:]
        GroovyShell shell = new GroovyShell(new Binding([echo: { Map arguments -> given = arguments }]))
        shell.evaluate(JobDsl.inside(only, 'script').readLines().tail().join('\n'))
        assert given == [text: text]
    }

    private Throwable played(String name) {
        File script = File.createTempFile('job', '.groovy')
        script.deleteOnExit()
        script.text = JobDsl.inside(job(name), 'script')
        return play(script.absolutePath)
    }

    @Test
    void a_preview_uses_the_environment_with_preview_namespaces_and_the_stores_of_the_service() {
        binding.setVariable('params', [VERSION: '1.4.0-17.g1a2b3c4d', PULL: '7'])
        build.startedByPerson()
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
        build.startedBy('services/orders/main')
        answers['helm list'] = '[]'
        answers['compare.py running.yaml'] = '1 created, 0 changed, 0 deleted'
        assert played('platform/orders/production') == null
        assert has('lock deploy-production-orders')
        assert pods*.cloud == ['deploy-production', 'deploy-production']
        assert has("describe 'atwork-production' --project 'acme-at-work-production' --location 'europe-west1'")
        assert has("--set-string host='orders.example.com'")
        assert has('input ada@example.com,grace@example.com')
        assert messages[0].channel == '#team-orders'
    }
}
