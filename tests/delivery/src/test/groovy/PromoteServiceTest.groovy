import org.junit.Before
import org.junit.Test

class PromoteServiceTest extends Jenkins {
    static final String VERSION = '1.4.0-17.g1a2b3c4d'
    static final String LAYER = 'sha256:' + '1' * 64

    @Override
    @Before
    void setUp() throws Exception {
        super.setUp()
        binding.setVariable('params', [VERSION: VERSION, IMAGE: DIGEST, CHART: CHART_DIGEST])
        build.startedBy('services/orders/main')
        answers['crane manifest'] = groovy.json.JsonOutput.toJson([layers: [
            [mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', digest: LAYER],
            [mediaType: 'application/vnd.cncf.helm.chart.provenance.v1.prov', digest: TEST_DIGEST],
        ]])
        chart([:])
        values(image: [repository: 'r/services/orders', digest: DIGEST])
    }

    private void chart(Map changes) {
        answers['helm show chart'] = groovy.json.JsonOutput.toJson([name: 'orders', version: VERSION] + changes)
    }

    private void values(Map values) {
        answers['helm show values'] = groovy.json.JsonOutput.toJson(values)
    }

    private void refused(String message) {
        assert play('promote.Jenkinsfile').message == message
        assert build.description == message: 'the build that waits reports it'
        assert !has('crane copy')
    }

    @Test
    void a_build_of_the_main_branch_is_released_by_digest() {
        assert play('promote.Jenkinsfile') == null
        assert pods*.cloud == ['promote']
        assert has("crane blob 'r/candidates/charts/orders@${LAYER}' > answer") && has("mv answer 'candidate.tgz'")
        assert commands.findAll { it.script.startsWith('crane copy') }*.script == [
            "crane copy 'r/candidates/orders@${DIGEST}' 'r/services/orders:${VERSION}'".toString(),
            "crane copy 'r/candidates/charts/orders@${CHART_DIGEST}' 'r/charts/orders:${VERSION}'".toString(),
        ]
        assert at('helm show values') < at('crane copy')
        assert build.description == VERSION
    }

    @Test
    void only_builds_of_the_main_branch_release() {
        for (String caller : [
            'services/orders/try-it', 'services/orders/PR-7', 'services/orders/main2', 'services/orders/main/x', 'services/orders',
            'services/orders-too/main', 'services/order/main', 'platform/orders/staging', 'services/orders/m.in',
        ]) {
            build.startedBy(caller)
            refused("${caller} may not release orders; builds of services/orders/main may")
        }
        assert pods.empty
    }

    @Test
    void a_person_releases_nothing_and_neither_does_a_build_that_was_deleted() {
        build.startedByPerson()
        refused('hudson.model.Cause$UserIdCause may not release orders; builds of services/orders/main may')
        build.buildCauses = []
        refused(' may not release orders; builds of services/orders/main may')
    }

    @Test
    void a_build_releases_its_own_version_only() {
        for (String version : ['1.4.0-16.g1a2b3c4d', '1.4.0-170.g1a2b3c4d', '1.4.0-17.g1a2b3c4', '', "1.4.0-17.g1a2b3c4d'; true '"]) {
            binding.setVariable('params', [VERSION: version, IMAGE: DIGEST, CHART: CHART_DIGEST])
            refused("VERSION '${version}': build 17 of services/orders/main may only release its own version")
        }
    }

    @Test
    void candidates_are_named_by_digest() {
        binding.setVariable('params', [VERSION: VERSION, IMAGE: 'latest', CHART: CHART_DIGEST])
        refused("IMAGE 'latest': give the digest of a candidate")
        binding.setVariable('params', [VERSION: VERSION, IMAGE: DIGEST])
        refused("CHART '': give the digest of a candidate")
    }

    @Test
    void a_planted_chart_is_not_released() {
        values(image: [repository: 'r/services/orders', digest: TEST_DIGEST])
        String wanted = "the chart's values must have the image r/services/orders with ${DIGEST}; they have "
        assert play('promote.Jenkinsfile').message.startsWith(wanted)
        assert !has('crane copy')
        values(image: [repository: 'r/candidates/orders', digest: DIGEST])
        assert play('promote.Jenkinsfile').message.startsWith(wanted)
        values(replicas: 1)
        refused(wanted + 'null')
        values(image: [repository: 'r/services/orders', digest: DIGEST])
        chart(name: 'stock')
        refused("the chart is stock ${VERSION}; it must be orders ${VERSION}")
        chart(version: '9.9.9')
        refused("the chart is orders 9.9.9; it must be orders ${VERSION}")
        answers['crane manifest'] = '{"layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "' + LAYER + '"}]}'
        refused("r/candidates/charts/orders@${CHART_DIGEST} is not a Helm chart")
    }

    @Test
    void an_existing_version_with_other_content_is_never_moved() {
        answers["crane digest 'r/charts/orders"] = TEST_DIGEST
        refused("r/charts/orders:${VERSION} already exists with other content; versions are never moved")
        answers["crane digest 'r/services/orders"] = TEST_DIGEST
        refused("r/services/orders:${VERSION} already exists with other content; versions are never moved")
    }

    @Test
    void a_run_that_was_killed_half_way_is_completed_by_the_next() {
        answers["crane digest 'r/services/orders"] = DIGEST
        assert play('promote.Jenkinsfile') == null
        assert commands.findAll { it.script.startsWith('crane copy') }*.script == ["crane copy 'r/candidates/charts/orders@${CHART_DIGEST}' 'r/charts/orders:${VERSION}'".toString()]
        answers["crane digest 'r/charts/orders"] = CHART_DIGEST
        commands.clear()
        assert play('promote.Jenkinsfile') == null
        assert !commands.any { it.script.startsWith('crane copy') }
    }

    @Test
    void a_registry_that_does_not_answer_is_one_line() {
        answers["crane digest 'r/services/orders"] = 'Error: GET https://r/v2/token: unexpected status code 403 Forbidden'
        refused("r/services/orders:${VERSION}: Error: GET https://r/v2/token: unexpected status code 403 Forbidden")
    }

    /** A platform that signs, and a build of a commit. */
    private void signing(String commit) {
        env.SIGNING_KEY = 'projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1'
        env.RELEASES_NOTE = 'projects/p/notes/platform-releases'
        env.PROVENANCE_NOTE = 'projects/p/notes/platform-provenance'
        if (commit) {
            jenkins.model.Jenkins.COMMITS['services/orders/main#17'] = commit
        }
        answers['attest.py'] = "attested r/services/orders@${DIGEST}\n".toString()
    }

    @Test
    void a_release_is_signed_before_its_chart_is_released() {
        String commit = '1a2b3c4d' + '0' * 32
        signing(commit)
        assert play('promote.Jenkinsfile') == null
        assert written['release.json'] == [
            image: "r/services/orders@${DIGEST}".toString(), service: 'orders', version: VERSION,
            repository: 'https://github.com/acme/orders', commit: commit, job: 'services/orders/main', number: '17',
            key: env.SIGNING_KEY, releases: env.RELEASES_NOTE, provenance: env.PROVENANCE_NOTE, builder: '',
        ]
        assert commands.find { it.script.contains('attest.py') }.container == 'gcloud'
        assert at("crane copy 'r/candidates/orders") < at('attest.py')
        assert at('attest.py') < at("crane copy 'r/candidates/charts")
    }

    @Test
    void a_release_that_is_not_signed_has_no_chart() {
        signing('1a2b3c4d' + '0' * 32)
        for (String answer : ['https://cloudkms.googleapis.com/v1/k:asymmetricSign: 403 denied', '', "attested r/services/orders@${TEST_DIGEST}".toString()]) {
            answers['attest.py'] = answer
            commands.clear()
            assert play('promote.Jenkinsfile').message == "r/services/orders@${DIGEST} is not signed: ${answer ?: 'no answer'}".toString()
            assert !has("crane copy 'r/candidates/charts")
        }
    }

    @Test
    void the_signed_commit_is_the_one_that_jenkins_recorded() {
        signing(null)
        refused('Jenkins does not know the commit of build 17 of services/orders/main, so its image cannot be signed; build again')
        signing('9' * 40)
        refused("VERSION '${VERSION}': build 17 of services/orders/main was made from ${'9' * 40}")
        assert pods.empty
    }

    @Test
    void nothing_is_signed_without_a_key() {
        assert play('promote.Jenkinsfile') == null
        assert !has('attest.py') && !written.containsKey('release.json')
    }
}
