/** What a deploy changes, for the person who approves it. */

/**
 * Compare the running version with a new one, in a pod that reaches the environment: the commits between both, and the
 * difference of their manifests without the content of Secrets. The build keeps both as change.txt.
 * Returns [summary, details]: one line, and the commits.
 */
Map compare(Map job, String version) {
    Map release = helmRelease.open(job, version)
    Map running = helmRelease.deployed(job, release)
    String manifest = running ? "helm get manifest ${release.name} --revision ${running.revision} ${release.access}" : 'true'
    container('helm') {
        sh """\
${manifest} > running.yaml
helm template ${release.name} './${job.service}' --no-hooks ${running ? '--is-upgrade ' : ''}${release.values} > coming.yaml
"""
    }
    writeFile(file: 'compare.py', text: libraryResource('deploy/compare.py'))
    String difference = ''
    container('gcloud') {
        difference = sh(returnStdout: true, script: 'python3 compare.py running.yaml coming.yaml').trim()
    }
    String old = running ? running.app_version : ''
    List commits = commitsBetween(job, old, version)
    String link = comparisonPage(job, old, version)
    String objects = "objects: ${difference.readLines()[-1]}"
    String summary = running ? "${commits ? commits[0] : 'commits'} since ${old}; ${objects}" : "the first release; ${objects}"
    writeFile(file: 'change.txt', text: [summary, link, commits.drop(1).join('\n'), difference].join('\n\n') + '\n')
    archiveArtifacts(artifacts: 'change.txt')
    return [summary: link ? "${summary} (${link})".toString() : summary, details: commits.drop(1).take(20).join('\n')]
}

/** GitHub's number of commits between two versions, and their subjects; empty if GitHub does not answer. */
private List commitsBetween(Map job, String old, String version) {
    String comparison = comparisonPage(job, old, version)
    if (!comparison) {
        return []
    }
    String lines = ''
    writeFile(file: 'commits.py', text: libraryResource('deploy/commits.py'))
    try {
        withCredentials([usernamePassword(credentialsId: env.REPORTS_CREDENTIAL, usernameVariable: 'GITHUB_APP', passwordVariable: 'GITHUB_TOKEN')]) {
            container('gcloud') {
                lines = sh(returnStdout: true, script: """\
set +x
printf 'header = "Authorization: Bearer %s"' "\$GITHUB_TOKEN" | curl --fail --silent --show-error --max-time 30 --config - \\
  --output comparison.json '${comparison.replace('https://github.com/', 'https://api.github.com/repos/')}'
python3 commits.py < comparison.json
""").trim()
            }
        }
    } catch (org.jenkinsci.plugins.workflow.steps.FlowInterruptedException interruption) {
        throw interruption
    } catch (Exception failure) {
        echo "no answer from GitHub about ${comparison}: ${failure.message}"
    }
    return lines.readLines()
}

/** GitHub's page about the commits between two versions; empty if one is not the version of a build. */
private String comparisonPage(Map job, String old, String version) {
    String from = commit(old)
    return from ? "${job.repository}/compare/${from}...${commit(version)}".toString() : ''
}

@NonCPS
private String commit(String version) {
    def matcher = version =~ /\.g([0-9a-f]{8})$/
    return matcher.find() ? matcher.group(1) : ''
}
