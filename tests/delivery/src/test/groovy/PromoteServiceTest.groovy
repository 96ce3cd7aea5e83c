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
}
