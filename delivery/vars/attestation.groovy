/**
 * Signatures of releases. If Jenkins has a SIGNING_KEY, the job promote signs the digest of each image that it releases, and
 * says which build of which commit made it. Pods of builds have no right to use the key.
 */

/**
 * The commit that a build was made from, which is the one in its version. Null if nothing is signed; an error if Jenkins does
 * not know it.
 */
String commit(Map build, String version) {
    if (!env.SIGNING_KEY) {
        return null
    }
    String commit = recorded(build.job, build.number as int)
    if (!commit) {
        error("Jenkins does not know the commit of build ${build.number} of ${build.job}, so its image cannot be signed; build again")
    }
    if (!commit.startsWith(version.substring(version.lastIndexOf('.g') + 2))) {
        error("VERSION '${version}': build ${build.number} of ${build.job} was made from ${commit}")
    }
    return commit
}

/**
 * Sign an image and attach both statements to their notes. `release` has image (by digest), service, repository, version,
 * commit, job and number. An error of one line if one of them cannot be made. A repeated run makes them again.
 */
void sign(Map release) {
    writeFile(file: 'attest.py', text: libraryResource('promote/attest.py'))
    writeJSON(file: 'release.json', json: release + [
        key: env.SIGNING_KEY, releases: env.RELEASES_NOTE, provenance: env.PROVENANCE_NOTE, builder: env.JENKINS_URL ?: '',
    ])
    String answer = ''
    container('gcloud') {
        answer = sh(returnStdout: true, script: 'python3 attest.py release.json || true').trim()
    }
    if (answer != "attested ${release.image}") {
        error("${release.image} is not signed: ${answer ?: 'no answer'}")
    }
}

/** The commit that Jenkins built, as it recorded it before the build began. The repository cannot change it. */
@NonCPS
private String recorded(String job, int number) {
    def revisions = jenkins.model.Jenkins.get().getItemByFullName(job)?.getBuildByNumber(number)?.getActions(jenkins.scm.api.SCMRevisionAction)
    return revisions ? revisions[0].revision.hash : null
}
