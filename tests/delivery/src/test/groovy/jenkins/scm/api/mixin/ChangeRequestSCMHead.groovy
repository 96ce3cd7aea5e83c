package jenkins.scm.api.mixin

/** Jenkins' own, which is not on Maven Central: the head of a pull request. */
interface ChangeRequestSCMHead { }
