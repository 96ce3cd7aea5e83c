/** What every repository must contain; `atwork service check` checks the same on a developer's machine. */

/** Check a repository; returns the version of this build, CHART-BUILD.gCOMMIT. */
String check(Map service) {
    List missing = []
    List wanted = ['Dockerfile', 'Makefile', "${service.chart}/Chart.yaml", "${service.chart}/values.yaml"]
    for (int i = 0; i < wanted.size(); i++) {
        if (!fileExists("${service.context}/${wanted[i]}")) {
            missing << "there is no ${wanted[i]}"
        }
    }
    List targets = ['build', 'test']
    for (int i = 0; i < targets.size() && fileExists("${service.context}/Makefile"); i++) {
        if (!hasTarget(readFile("${service.context}/Makefile"), targets[i])) {
            missing << "the Makefile has no target ${targets[i]}"
        }
    }
    if (missing) {
        error("${missing.join('; ')} (docs/onboarding.md; `atwork service check` shows everything)")
    }
    Map description = mapping.read("${service.context}/${service.chart}/Chart.yaml".toString())
    if (description.name != service.name) {
        error("${service.chart}/Chart.yaml: name ${description.name} must be the service's, ${service.name}")
    }
    if (!(description.version ==~ /\d+\.\d+\.\d+/)) {
        error("${service.chart}/Chart.yaml: version ${description.version} must be three numbers, such as 1.4.0")
    }
    if (service.testTarget && !hasStage(readFile("${service.context}/Dockerfile"), service.testTarget)) {
        service.testTarget = null  // without such a stage, the tests run in the released image
    }
    container('helm') {
        sh "helm lint '${service.context}/${service.chart}'"
    }
    String commit = sh(script: 'git rev-parse --short=8 HEAD', returnStdout: true).trim()
    return "${description.version}-${env.BUILD_NUMBER}.g${commit}"
}

/** Whether a rule names the target, alone or with others; an included file, or a rule that is computed, may have it. */
@NonCPS
private boolean hasTarget(String makefile, String target) {
    return makefile.readLines().any {
        it ==~ /([^\t#:=][^#:=]*\s)?${target}(\s[^#:=]*)?::?(?!=).*/ || it ==~ /[-s]?include\s.*/ || it ==~ /(\.DEFAULT|%|.*\$\((eval|call|foreach)\b).*/
    }
}

@NonCPS
private boolean hasStage(String dockerfile, String stage) {
    return dockerfile.readLines().any { it ==~ /(?i)\s*FROM\s.+\sAS\s+${stage}\s*/ }
}
