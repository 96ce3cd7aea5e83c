package jenkins.scm.api

/** Jenkins' own, which is not on Maven Central: the commit that a build was started for. */
class SCMRevisionAction {
    Map revision
}
